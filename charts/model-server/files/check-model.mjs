// Checks the files of a model before the server starts, and fetches those that have a url. Node 24, nothing else.
//
// MODEL_FILES       JSON: [{ path, sha256, url? }], paths below the repository
// MODEL_REPOSITORY  the folder of the models, /models
// MODEL_HEADERS     a folder with one file a header, for the url's own host
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { validateHeaderName, validateHeaderValue } from "node:http";
import { dirname, join, relative, resolve } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";

const ATTEMPTS = 4;
const SILENCE_MS = 30_000;
const REDIRECTS = 5;

const repository = resolve(process.env.MODEL_REPOSITORY || "/models");
const files = JSON.parse(process.env.MODEL_FILES ?? "[]");
let headers = new Headers();

/** Failed for now: the same request may do better later. */
class Passing extends Error {}

/** Headers that fetch takes. Else an error that names the header alone: the platform's quotes the value, a password. */
async function readHeaders(folder) {
  const all = new Headers();
  if (!folder) return all;
  // A mounted Secret has its bookkeeping beside the keys, under names with dots.
  const names = (await readdir(folder)).filter((name) => !name.startsWith("."));
  for (const name of names) {
    const text = (await readFile(join(folder, name), "utf8")).trim();
    try {
      validateHeaderName(name);
      validateHeaderValue(name, text);
      all.append(name, text);
    } catch {
      throw new Error(`header ${name} has no valid value`);
    }
  }
  return all;
}

const isWeb = (url) => url?.protocol === "https:" || url?.protocol === "http:";
const hasUser = (url) => url.username !== "" || url.password !== "";

async function sha256Of(file) {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

/** The answer to a GET. Headers may hold a password: they go to no other host than the one they are meant for. */
async function get(first, signal) {
  let at = first;
  for (let hop = 0; hop <= REDIRECTS; hop += 1) {
    const own = at.origin === first.origin ? headers : undefined;
    const answer = await fetch(at, { headers: own, redirect: "manual", signal });
    const location = answer.headers.get("location");
    if (answer.status < 300 || answer.status > 399 || !location) return answer;
    // Of a target that is refused nothing is shown: what reads as its protocol may be a user's name.
    const next = URL.parse(location, at);
    if (!isWeb(next)) throw new Error("is redirected to what is no url of http or https");
    if (hasUser(next)) throw new Error("is redirected to a url with a user name or a password");
    if (at.protocol === "https:" && next.protocol !== "https:") throw new Error(`is redirected to ${next.protocol}//`);
    at = next;
  }
  throw new Error(`is redirected more than ${REDIRECTS} times`);
}

/** Writes what a url gives to a file, and resolves to its SHA-256. */
async function download(url, file) {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), SILENCE_MS);
  const hash = createHash("sha256");
  const heard = new Transform({
    transform(chunk, _, done) {
      timer.refresh();
      hash.update(chunk);
      done(null, chunk);
    },
  });
  try {
    const answer = await get(url, silence.signal);
    if (answer.status >= 500 || answer.status === 429) throw new Passing(`is answered ${answer.status}`);
    if (!answer.ok || !answer.body) throw new Error(`is answered ${answer.status}`);
    await pipeline(Readable.fromWeb(answer.body), heard, createWriteStream(file));
    return hash.digest("hex");
  } catch (error) {
    if (silence.signal.aborted) throw new Passing(`sends nothing for ${SILENCE_MS / 1000} s`);
    if (!(error instanceof TypeError)) throw error;
    // The message of fetch itself may quote headers and urls; that of its cause does not.
    const { message, code } = error.cause ?? {};
    const reason = message || code || error.code || error.name;
    throw isNetwork(error.cause) ? new Passing(reason) : new Error(`cannot be fetched: ${reason}`);
  } finally {
    clearTimeout(timer);
  }
}

/** The system and the connection give their errors a code. Two codes are of requests that fetch refuses for good. */
function isNetwork(cause) {
  return cause?.code !== undefined && !["UND_ERR_INVALID_ARG", "UND_ERR_NOT_SUPPORTED"].includes(cause.code);
}

async function downloadPatiently(url, file) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await download(url, file);
    } catch (error) {
      if (!(error instanceof Passing) || attempt === ATTEMPTS) throw error;
      say("again", { url: withoutSecrets(url), reason: error.message });
      await sleep(1000 * 2 ** attempt);
    }
  }
}

/** A signed url's query is a password. */
function withoutSecrets({ origin, pathname }) {
  return `${origin}${pathname}`;
}

function say(message, fields) {
  console.log(JSON.stringify({ time: new Date().toISOString(), level: "info", message, ...fields }));
}

async function check({ path, sha256, url: text }) {
  const file = resolve(repository, path);
  if (relative(repository, file).startsWith("..")) throw new Error(`${path} is not below ${repository}`);
  if (existsSync(file) && (await sha256Of(file)) === sha256) return say("as expected", { path });
  if (!text) {
    const is = existsSync(file) ? `has the SHA-256 ${await sha256Of(file)}, not ${sha256}` : "is not there";
    throw new Error(`${path} ${is}`);
  }
  const url = URL.parse(text);
  if (!isWeb(url)) throw new Error(`${path}: its url is not one of http or https`);
  if (hasUser(url)) {
    const remedy = "those belong into a header, in the Secret that model.download.headersSecretName names";
    throw new Error(`${path}: ${withoutSecrets(url)} holds a user name or a password: ${remedy}`);
  }
  const partial = `${file}.partial`;
  await mkdir(dirname(file), { recursive: true });
  try {
    const found = await downloadPatiently(url, partial).catch((error) => {
      throw new Error(`${path}: ${withoutSecrets(url)} ${error.message}`);
    });
    if (found !== sha256) throw new Error(`${path}: ${withoutSecrets(url)} has the SHA-256 ${found}, not ${sha256}`);
    await rename(partial, file);
    say("fetched", { path });
  } finally {
    await rm(partial, { force: true });
  }
}

try {
  headers = await readHeaders(process.env.MODEL_HEADERS);
  for (const file of files) await check(file);
} catch (error) {
  console.error(JSON.stringify({ time: new Date().toISOString(), level: "error", message: error.message }));
  process.exitCode = 1;
}

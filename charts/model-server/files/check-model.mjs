// Checks the files of a model before the server starts, and fetches those that have a url. Node 24, nothing else.
//
// MODEL_FILES       JSON: [{ path, sha256, url? }], paths below the repository
// MODEL_REPOSITORY  the folder of the models, /models
// MODEL_HEADERS     a folder with one file a header, for the url's own host
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";

const ATTEMPTS = 4;
const SILENCE_MS = 30_000;
const REDIRECTS = 5;

const repository = resolve(process.env.MODEL_REPOSITORY || "/models");
const files = JSON.parse(process.env.MODEL_FILES ?? "[]");
const headers = await readHeaders(process.env.MODEL_HEADERS);

/** Failed for now: the same request may do better later. */
class Passing extends Error {}

async function readHeaders(folder) {
  if (!folder) return {};
  // A mounted Secret has its bookkeeping beside the keys, under names with dots.
  const names = (await readdir(folder)).filter((name) => !name.startsWith("."));
  const texts = names.map(async (name) => [name, (await readFile(join(folder, name), "utf8")).trim()]);
  return Object.fromEntries(await Promise.all(texts));
}

async function sha256Of(file) {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

/** The answer to a GET. Headers may hold a password: they go to no other host than the one they are meant for. */
async function get(url, signal) {
  const first = new URL(url);
  let at = first;
  for (let hop = 0; hop <= REDIRECTS; hop += 1) {
    const own = at.origin === first.origin ? headers : {};
    const answer = await fetch(at, { headers: own, redirect: "manual", signal });
    const location = answer.headers.get("location");
    if (answer.status < 300 || answer.status > 399 || !location) return answer;
    const next = new URL(location, at);
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
    if (!answer.ok) throw new Error(`is answered ${answer.status}`);
    await pipeline(Readable.fromWeb(answer.body), heard, createWriteStream(file));
    return hash.digest("hex");
  } catch (error) {
    if (silence.signal.aborted) throw new Passing(`sends nothing for ${SILENCE_MS / 1000} s`);
    // The network's errors: `fetch failed`, with the system's error as its cause, or an answer that breaks off.
    if (error instanceof TypeError) throw new Passing(error.cause?.message ?? error.message);
    throw error;
  } finally {
    clearTimeout(timer);
  }
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
function withoutSecrets(url) {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

function say(message, fields) {
  console.log(JSON.stringify({ time: new Date().toISOString(), level: "info", message, ...fields }));
}

async function check({ path, sha256, url }) {
  const file = resolve(repository, path);
  if (relative(repository, file).startsWith("..")) throw new Error(`${path} is not below ${repository}`);
  if (existsSync(file) && (await sha256Of(file)) === sha256) return say("as expected", { path });
  if (!url) {
    const is = existsSync(file) ? `has the SHA-256 ${await sha256Of(file)}, not ${sha256}` : "is not there";
    throw new Error(`${path} ${is}`);
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
  for (const file of files) await check(file);
} catch (error) {
  console.error(JSON.stringify({ time: new Date().toISOString(), level: "error", message: error.message }));
  process.exitCode = 1;
}

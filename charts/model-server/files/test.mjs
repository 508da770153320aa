// `helm test`: asks a release for health and metadata, and for one golden inference. Node 24, nothing else.
//
// URL        where the release's Service is
// MODEL, VERSION  whom to ask; empty leaves the inference out
// GOLDEN     a file: { request, outputs, rtol, atol }
// TOKENS, CA, CERT, KEY  files, where the server asks for them; of the tokens, one a line, the first is shown
import { existsSync, readFileSync } from "node:fs";
import { request as plain } from "node:http";
import { request as secure } from "node:https";

// A heavy model takes its time over the golden inference; the pod's own deadline ends the whole.
const SILENCE_MS = 30_000;
const FLOATS = ["FP16", "FP32", "FP64"];

const { URL: base = "", MODEL: model, VERSION: version, GOLDEN, TOKENS, CA, CERT, KEY } = process.env;

const read = (file) => (file && existsSync(file) ? readFileSync(file) : undefined);
const tls = { ca: read(CA), cert: read(CERT), key: read(KEY) };
// The server's rules: empty lines and those that start with # are skipped.
const lines = read(TOKENS)?.toString().split(/\r?\n/) ?? [];
const token = lines.map((line) => line.trim()).find((line) => line !== "" && !line.startsWith("#"));

/** The status and the text of an answer. */
function ask(method, path, body) {
  const url = new URL(path, base);
  const headers = {
    ...(token && { authorization: `Bearer ${token}` }),
    ...(body && { "content-type": "application/json" }),
  };
  const send = url.protocol === "https:" ? secure : plain;
  return new Promise((done, fail) => {
    const request = send(url, { method, headers, timeout: SILENCE_MS, ...tls }, async (answer) => {
      const chunks = await answer.toArray().catch(fail);
      if (chunks) done({ status: answer.statusCode, text: Buffer.concat(chunks).toString() });
    });
    request.on("timeout", () => request.destroy(new Error(`is not answered within ${SILENCE_MS / 1000} s`)));
    request.on("error", (error) => fail(new Error(`${method} ${path}: ${error.message}`)));
    request.end(body);
  });
}

async function json(method, path, body) {
  const { status, text } = await ask(method, path, body);
  if (status !== 200) throw new Error(`${method} ${path} is answered ${status}: ${text.slice(0, 1000)}`);
  return text === "" ? {} : JSON.parse(text);
}

/** Tolerance is for rounding: whole numbers have none, and NaN and the infinities, strings in JSON, fit themselves. */
function fits(actual, expected, datatype, { rtol, atol }) {
  if (actual === expected) return true;
  if (!FLOATS.includes(datatype) || !Number.isFinite(actual) || !Number.isFinite(expected)) return false;
  return Math.abs(actual - expected) <= atol + rtol * Math.abs(expected);
}

/** What in an answer is not as it should be; none when all is well. */
function differences(answer, golden) {
  return golden.outputs.flatMap((expected) => {
    const actual = (answer.outputs ?? []).find(({ name }) => name === expected.name);
    if (!actual) return [`there is no output ${expected.name}`];
    for (const field of ["datatype", "shape"])
      if (expected[field] && JSON.stringify(actual[field]) !== JSON.stringify(expected[field]))
        return [
          `${expected.name} has the ${field} ${JSON.stringify(actual[field])}, not ${JSON.stringify(expected[field])}`,
        ];
    const [have, want] = [actual.data.flat(Infinity), expected.data.flat(Infinity)];
    if (have.length !== want.length) return [`${expected.name} has ${have.length} elements, not ${want.length}`];
    const wrong = want.findIndex((value, index) => !fits(have[index], value, actual.datatype, golden));
    return wrong < 0 ? [] : [`${expected.name}[${wrong}] is ${have[wrong]}, not ${want[wrong]}`];
  });
}

async function infer() {
  const golden = JSON.parse(readFileSync(GOLDEN, "utf8"));
  const path = `/v2/models/${encodeURIComponent(model)}${version ? `/versions/${encodeURIComponent(version)}` : ""}`;
  const { inputs } = await json("GET", path);
  if (!Array.isArray(inputs) || inputs.length === 0) throw new Error(`GET ${path} names no inputs`);
  await json("GET", `${path}/ready`);
  const answer = await json("POST", `${path}/infer`, JSON.stringify(golden.request));
  const wrong = differences(answer, golden);
  if (wrong.length > 0) throw new Error(`POST ${path}/infer: ${wrong.join("; ")}`);
  return golden.outputs.length;
}

try {
  await json("GET", "/v2/health/live");
  await json("GET", "/v2/health/ready");
  const { name, version: serves } = await json("GET", "/v2");
  if (!name) throw new Error("GET /v2 names no server");
  console.log(`${base} is ${name} ${serves ?? ""}, live and ready`);
  if (model) console.log(`${model}: ${await infer()} outputs as expected`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { identityModel } from "../../serving/test/onnx-file.ts";
import { ServerProcess, temporaryFolder } from "../../serving/test/server-process.ts";
import { listen, runScript } from "./script-process.ts";

const tensor = { datatype: "FP32", shape: [1, 2], data: [0.5, 1.5] };
const golden = {
  request: { inputs: [{ name: "x", ...tensor }] },
  outputs: [{ name: "x_out", ...tensor }],
  rtol: 1e-4,
  atol: 1e-5,
};

let server: ServerProcess;
beforeAll(async () => {
  const model = identityModel([{ name: "x", type: "FP32", shape: ["N", 2] }]);
  server = await ServerProcess.serving({ "digits/1/model.onnx": model });
});
afterAll(() => server.stop());

/** What `helm test` says of the server with that golden case. */
function ask(expected: object, more: Readonly<Record<string, string>> = {}) {
  const folder = temporaryFolder({ "golden.json": JSON.stringify({ ...golden, ...expected }) });
  return runScript("test.mjs", { URL: server.url, MODEL: "digits", GOLDEN: join(folder, "golden.json"), ...more });
}

const output = (change: object) => ({ outputs: [{ ...golden.outputs[0], ...change }] });

test("passes a server that is ready and gives the golden outputs", async () => {
  const { code, stdout, stderr } = await ask({});
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(stdout).toContain("digits: 1 outputs as expected");
});

test("takes what differs within tolerance, nested as JSON may have it", async () => {
  expect(await ask(output({ data: [[0.50001, 1.5001]] }))).toMatchObject({ code: 0 });
});

test.each([
  [output({ data: [0.5, 1.6] }), /x_out\[1\] is 1.5, not 1.6/],
  [output({ data: [0.5] }), /x_out has 2 elements, not 1/],
  [output({ shape: [2, 1] }), /x_out has the shape \[1,2\], not \[2,1\]/],
  [output({ datatype: "FP64" }), /x_out has the datatype "FP32", not "FP64"/],
  [output({ name: "z" }), /there is no output z/],
  [output({ data: ["NaN", 1.5] }), /x_out\[0\] is 0.5, not NaN/],
  [{ request: { inputs: [] } }, /infer is answered 400/],
])("fails on %j", async (expected, message) => {
  const { code, stderr } = await ask(expected);
  expect(stderr).toMatch(message);
  expect(code).toBe(1);
});

test("fails on a model that is not served", async () => {
  const { code, stderr } = await ask({}, { MODEL: "letters" });
  expect(stderr).toContain("GET /v2/models/letters is answered 404");
  expect(code).toBe(1);
});

test("asks a version where one is named", async () => {
  expect(await ask({}, { VERSION: "1" })).toMatchObject({ code: 0 });
  expect((await ask({}, { VERSION: "2" })).stderr).toContain("/v2/models/digits/versions/2 is answered 404");
});

test("fails on a server that is not ready", async () => {
  const url = await listen((request, answer) => answer.writeHead(request.url === "/v2/health/ready" ? 503 : 200).end());
  const { code, stderr } = await ask({}, { URL: url });
  expect(stderr).toContain("GET /v2/health/ready is answered 503");
  expect(code).toBe(1);
});

/** A server that is ready and gives this output, whatever it is asked. */
function answering(output: object): Promise<string> {
  const all = { name: "model-server", inputs: [{}], outputs: [{ name: "y", ...output }] };
  return listen((_, answer) => answer.end(JSON.stringify(all)));
}

/** What `helm test` says of that output where it expects `want`. */
async function compare(datatype: string, have: readonly unknown[], want: readonly unknown[]) {
  const url = await answering({ datatype, shape: [have.length], data: have });
  return ask({ outputs: [{ name: "y", data: want }] }, { URL: url });
}

test.each([
  ["FP32", [5], ["Infinity"]],
  ["FP32", ["-Infinity"], ["Infinity"]],
  ["FP64", ["Infinity"], [5]],
  ["FP16", [0], ["NaN"]],
  ["FP32", ["NaN"], [0]],
  ["INT64", [30522], [30524]],
  ["UINT16", [20000], [20001]],
  ["BOOL", [true], [1]],
  ["BYTES", ["1"], [1]],
  ["BYTES", ["NaN"], ["nan"]],
])("takes no other value, tolerance or not: %s %j for %j", async (datatype, have, want) => {
  const { code, stderr } = await compare(datatype, have, want);
  expect(stderr).toContain(`y[0] is ${have[0]}, not ${want[0]}`);
  expect(code).toBe(1);
});

test.each([
  ["FP32", ["NaN", "Infinity", "-Infinity", -0]],
  ["INT64", [30522]],
  ["BOOL", [true, false]],
  ["BYTES", ["a", "NaN"]],
])("takes the same values: %s %j", async (datatype, data) => {
  expect(await compare(datatype, data, data)).toMatchObject({ code: 0, stderr: "" });
});

test.each(["FP16", "FP32", "FP64"])("takes what differs within tolerance: %s", async (datatype) => {
  expect(await compare(datatype, [30522], [30524])).toMatchObject({ code: 0, stderr: "" });
});

test("waits for a model that takes its time", async () => {
  const url = await listen((request, answer) =>
    setTimeout(() => answer.end('{"name":"model-server"}'), request.url === "/v2" ? 11_000 : 0),
  );
  expect(await ask({}, { URL: url, MODEL: "" })).toMatchObject({ code: 0, stderr: "" });
});

test.each([
  ["first\nsecond\n"],
  ["first\r\nsecond\r\n"],
  ["# whose it is\n\n  first  \nsecond\n"],
  ["\r\n  # whose it is\r\n\r\nfirst\r\n"],
])("shows the first token of the list %j, by the server's rules", async (list) => {
  const seen = new Set<string | undefined>();
  const url = await listen((request, answer) => {
    seen.add(request.headers.authorization);
    answer.end('{"name":"model-server"}');
  });
  const tokens = join(temporaryFolder({ tokens: list }), "tokens");
  expect(await ask({}, { URL: url, MODEL: "", TOKENS: tokens })).toMatchObject({ code: 0 });
  expect([...seen]).toEqual(["Bearer first"]);
});

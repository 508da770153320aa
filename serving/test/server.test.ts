import { deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { identityModel, onnxFile } from "./onnx-file.ts";
import { ServerProcess } from "./server-process.ts";

const TYPES = [
  ["BOOL", [true, false, true]],
  ["UINT8", [0, 7, 255]],
  ["UINT16", [0, 7, 65_535]],
  ["UINT32", [0, 7, 4_294_967_295]],
  ["INT8", [-128, 7, 127]],
  ["INT16", [-32_768, 7, 32_767]],
  ["INT32", [-2_147_483_648, 7, 2_147_483_647]],
  ["INT64", [-3, 7, 9_007_199_254_740_991]],
  ["UINT64", [0, 7, 9_007_199_254_740_991]],
  ["FP16", [-0.5, 0, 65_504]],
  ["FP32", [-1.5, 0, 16_777_216]],
  ["FP64", [-0.1, 0, 1e300]],
  ["BYTES", ["", "naïve ☃", 'quote " and \\']],
] as const;

/** y = a + b, a and b of shape [n, 2]; z = a × b. */
const arithmetic = onnxFile({
  nodes: [
    { operator: "Add", inputs: ["a", "b"], outputs: ["sum"] },
    { operator: "Mul", inputs: ["a", "b"], outputs: ["product"] },
  ],
  inputs: [
    { name: "a", type: "FP32", shape: ["n", 2] },
    { name: "b", type: "FP32", shape: ["n", 2] },
  ],
  outputs: [
    { name: "sum", type: "FP32", shape: ["n", 2] },
    { name: "product", type: "FP32", shape: ["n", 2] },
  ],
});

let server: ServerProcess;

beforeAll(async () => {
  const types = TYPES.map(([type]) => ({ name: type.toLowerCase(), type, shape: ["n"] }));
  server = await ServerProcess.serving(
    {
      "arithmetic/1/model.onnx": arithmetic,
      "arithmetic/2/model.onnx": identityModel([{ name: "x", type: "FP32", shape: [2] }]),
      "arithmetic/10/model.onnx": arithmetic,
      "arithmetic/config.json": Buffer.from('{"emptyTensors": true}'),
      "types/1/model.onnx": identityModel(types),
      "open rank/1/model.onnx": identityModel([{ name: "x", type: "FP32" }]),
      "reshape/1/model.onnx": onnxFile({
        nodes: [{ operator: "Reshape", inputs: ["x", "to"], outputs: ["y"] }],
        inputs: [
          { name: "x", type: "FP32", shape: ["n"] },
          { name: "to", type: "INT64", shape: ["rank"] },
        ],
        outputs: [{ name: "y", type: "FP32" }],
      }),
    },
    ["--max-body-bytes", "100000"],
  );
});

afterAll(() => server.stop());

async function get(path: string, method = "GET"): Promise<{ status: number; body: unknown; headers: Headers }> {
  const response = await fetch(server.url + path, { method });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

async function infer(model: string, body: unknown): Promise<{ status: number; body: unknown; text: string }> {
  const response = await fetch(`${server.url}/v2/models/${model}/infer`, {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, text, body: JSON.parse(text) };
}

const a = { name: "a", datatype: "FP32", shape: [1, 2], data: [1, 2] };
const b = { name: "b", datatype: "FP32", shape: [1, 2], data: [[10, 20]] };
const sum = { name: "sum", datatype: "FP32", shape: [1, 2], data: [11, 22] };
const product = { name: "product", datatype: "FP32", shape: [1, 2], data: [10, 40] };

/** What clients may rely on; Triton's tools look here before they ask. */
const EXTENSIONS = expect.arrayContaining([
  "binary_tensor_data",
  "model_configuration",
  "model_repository",
  "statistics",
]);

test("answers the server's metadata, with and without a slash at the end", async () => {
  const expected = { name: "model-server", version: expect.stringMatching(/^\d+\.\d+\.\d+/), extensions: EXTENSIONS };
  expect(await get("/v2")).toMatchObject({ status: 200, body: expected });
  expect(await get("/v2/")).toMatchObject({ status: 200, body: expected });
});

test("answers live and ready with the keys that clients read", async () => {
  expect(await get("/v2/health/live")).toMatchObject({ status: 200, body: { live: true } });
  expect(await get("/v2/health/ready")).toMatchObject({ status: 200, body: { ready: true } });
  expect(await get("/v2/models/types/ready")).toMatchObject({ status: 200, body: { name: "types", ready: true } });
  expect(await get("/v2/models/arithmetic/versions/2/ready")).toMatchObject({ status: 200, body: { ready: true } });
});

test("answers a model's metadata with every version and -1 for dimensions of any size", async () => {
  const shape = [-1, 2];
  expect(await get("/v2/models/arithmetic")).toMatchObject({
    status: 200,
    body: {
      name: "arithmetic",
      versions: ["1", "2", "10"],
      platform: "onnx_onnxv1",
      inputs: [
        { name: "a", datatype: "FP32", shape },
        { name: "b", datatype: "FP32", shape },
      ],
      outputs: [
        { name: "sum", datatype: "FP32", shape },
        { name: "product", datatype: "FP32", shape },
      ],
    },
  });
  expect((await get("/v2/models/arithmetic/versions/2")).body).toMatchObject({
    versions: ["2"],
    inputs: [{ name: "x" }],
  });
});

test("infers from flat and nested data, and names model and version", async () => {
  expect(await infer("arithmetic", { inputs: [a, b] })).toMatchObject({
    status: 200,
    body: { model_name: "arithmetic", model_version: "10", outputs: [sum, product] },
  });
});

test("takes inputs in any order", async () => {
  expect((await infer("arithmetic", { inputs: [b, a] })).body).toMatchObject({ outputs: [sum, product] });
});

test("serves the version asked for, the highest by number otherwise", async () => {
  const x = { name: "x", datatype: "FP32", shape: [2], data: [1, 2] };
  expect((await infer("arithmetic/versions/2", { inputs: [x] })).body).toMatchObject({ model_version: "2" });
  expect((await infer("arithmetic", { inputs: [a, b] })).body).toMatchObject({ model_version: "10" });
});

test("returns only the outputs asked for, in the order asked", async () => {
  const only = await infer("arithmetic", { inputs: [a, b], outputs: [{ name: "product" }] });
  expect(only.body).toMatchObject({ outputs: [product] });
  const swapped = await infer("arithmetic", { inputs: [a, b], outputs: [{ name: "product" }, { name: "sum" }] });
  expect(swapped.body).toMatchObject({ outputs: [product, sum] });
});

test("echoes the id, and gives none when none came", async () => {
  expect((await infer("arithmetic", { id: 'a "b"', inputs: [a, b] })).body).toMatchObject({ id: 'a "b"' });
  expect((await infer("arithmetic", { inputs: [a, b] })).body).not.toHaveProperty("id");
});

test("carries every datatype there and back", async () => {
  const inputs = TYPES.map(([datatype, data]) => ({ name: datatype.toLowerCase(), datatype, shape: [3], data }));
  const { status, body } = await infer("types", { inputs });
  expect(status).toBe(200);
  expect(body).toMatchObject({
    outputs: TYPES.map(([datatype, data]) => ({ name: `${datatype.toLowerCase()}_out`, datatype, shape: [3], data })),
  });
});

test("keeps every bit of 64-bit whole numbers", async () => {
  const inputs = TYPES.map(([datatype, data]) => ({ name: datatype.toLowerCase(), datatype, shape: [3], data }));
  const text = JSON.stringify({ inputs, outputs: [{ name: "int64_out" }, { name: "uint64_out" }] })
    .replace("[-3,7,9007199254740991]", "[-9223372036854775808,9007199254740993,9223372036854775807]")
    .replace("[0,7,9007199254740991]", "[0,9007199254740993,18446744073709551615]");
  const answer = await infer("types", text);
  expect(answer.status).toBe(200);
  expect(answer.text).toContain('"data":[-9223372036854775808,9007199254740993,9223372036854775807]');
  expect(answer.text).toContain('"data":[0,9007199254740993,18446744073709551615]');
});

test("carries NaN and the infinities as strings", async () => {
  const data = ["NaN", "Infinity", "-Infinity", 1];
  const answer = await infer("open%20rank", { inputs: [{ name: "x", datatype: "FP32", shape: [4], data }] });
  expect(answer.body).toMatchObject({ outputs: [{ data }] });
});

test("takes an empty batch where config.json allows it, and a scalar where the model leaves the rank open", async () => {
  const empty = { datatype: "FP32", shape: [0, 2], data: [] };
  expect(
    (
      await infer("arithmetic", {
        inputs: [
          { name: "a", ...empty },
          { name: "b", ...empty },
        ],
      })
    ).body,
  ).toMatchObject({
    outputs: [
      { shape: [0, 2], data: [] },
      { shape: [0, 2], data: [] },
    ],
  });
  expect(await infer("open%20rank", { inputs: [{ name: "x", ...empty }] })).toMatchObject({
    status: 400,
    body: { error: expect.stringContaining("'shape' is [0,2], and this model takes no tensor without elements") },
  });
  const scalar = { name: "x", datatype: "FP32", shape: [], data: [5] };
  expect((await infer("open%20rank", { inputs: [scalar] })).body).toMatchObject({
    outputs: [{ shape: [], data: [5] }],
  });
});

test("answers 404 for a model, a version or a path it does not have, and names what it has", async () => {
  expect(await get("/v2/models/digits")).toMatchObject({
    status: 404,
    body: { error: expect.stringContaining("types") },
  });
  expect(await get("/v2/models/arithmetic/versions/3")).toMatchObject({
    status: 404,
    body: { error: "model 'arithmetic' has no version '3'; it has: 1, 2, 10" },
  });
  expect((await infer("constructor", { inputs: [] })).status).toBe(404);
  for (const path of ["/v1", "/v2/health", "/v2/models", "/v2/models/types/versions", "/v2/models/types/explain"]) {
    expect(await get(path), path).toMatchObject({ status: 404, body: { error: expect.any(String) } });
  }
});

test("answers 405 with the methods allowed", async () => {
  const wrong = await get("/v2/models/types/infer");
  expect(wrong).toMatchObject({ status: 405, body: { error: "GET is not allowed here, use POST" } });
  expect(wrong.headers.get("allow")).toBe("POST");
  expect((await get("/v2/health/ready", "POST")).status).toBe(405);
});

test("answers 400 with the runtime's reason when the model cannot compute an input, and logs none of it", async () => {
  const x = { name: "x", datatype: "FP32", shape: [3], data: [1, 2, 3] };
  const to = { name: "to", datatype: "INT64", shape: [2], data: [2, 2] };
  expect(await infer("reshape", { inputs: [x, to] })).toMatchObject({
    status: 400,
    body: { error: expect.stringMatching(/^model 'reshape' cannot compute these inputs: .*requested shape:\{2,2\}/) },
  });
  expect(server.log.at(-1)).toMatchObject({
    level: "warn",
    message: "request refused",
    reason: expect.stringMatching(/^model 'reshape' cannot compute a request's inputs: Reshape/),
  });
  expect(server.stdout).not.toContain("requested shape");
});

test("answers 413 to a body over the limit, declared or streamed, and reads no more of it", async () => {
  const large = "x".repeat(100_001);
  const error = "the request body is larger than 100000 bytes, the limit of this server";
  expect(await infer("arithmetic", large)).toMatchObject({ status: 413, body: { error } });
  const streamed = await fetch(`${server.url}/v2/models/arithmetic/infer`, {
    method: "POST",
    duplex: "half",
    body: new Blob([large]).stream(),
  } as RequestInit);
  expect(streamed.status).toBe(413);
});

test("reads compressed bodies, and answers 415 to a coding it does not know and 400 to one that is broken", async () => {
  const send = (encoding: string, body: Uint8Array<ArrayBuffer>) =>
    fetch(`${server.url}/v2/models/arithmetic/infer`, {
      method: "POST",
      headers: { "content-encoding": encoding },
      body,
    });
  const text = JSON.stringify({ inputs: [a, b] });
  for (const [encoding, bytes] of [
    ["gzip", gzipSync(text)],
    ["deflate", deflateSync(text)],
    ["identity", Buffer.from(text)],
  ] as const) {
    const answer = await send(encoding, bytes);
    expect([encoding, answer.status, await answer.json()]).toMatchObject([encoding, 200, { outputs: [sum, product] }]);
  }
  const unknown = await send("br", Buffer.from("x"));
  expect([unknown.status, unknown.headers.get("accept-encoding")]).toEqual([415, "gzip, deflate"]);
  const broken = await send("gzip", gzipSync(text).subarray(0, 30));
  expect([broken.status, await broken.json()]).toEqual([400, { error: "the request body is not valid gzip data" }]);
});

test("answers 413 to a small body that grows over the limit when it is decompressed", async () => {
  const bomb = gzipSync(Buffer.alloc(10_000_000, 0x20));
  expect(bomb.length).toBeLessThan(100_000);
  const response = await fetch(`${server.url}/v2/models/arithmetic/infer`, {
    method: "POST",
    headers: { "content-encoding": "gzip" },
    body: bomb,
  });
  expect(response.status).toBe(413);
});

test("answers configuration, statistics and the repository's index, by which Triton's tools find their way", async () => {
  expect(await get("/v2/models/arithmetic/config")).toMatchObject({ status: 200, body: { name: "arithmetic" } });
  const stats = { model_stats: [{ name: "types", version: "1" }] };
  expect(await get("/v2/models/types/stats")).toMatchObject({ status: 200, body: stats });
  const index = await fetch(`${server.url}/v2/repository/index`, { method: "POST", body: "{}" });
  expect(await index.json()).toContainEqual(expect.objectContaining({ name: "types", version: "1", state: "READY" }));
});

test("refuses to load and unload models unless it was started to", async () => {
  const answer = await fetch(`${server.url}/v2/repository/models/types/unload`, { method: "POST" });
  expect([answer.status, await answer.json()]).toEqual([403, { error: expect.stringContaining("--model-control") }]);
  expect((await get("/v2/models/types/ready")).status).toBe(200);
});

test("answers what is no JSON on the REST port too: the console and the metrics", async () => {
  const types = async (path: string) => (await fetch(server.url + path)).headers.get("content-type");
  expect(await types("/")).toBe("text/html; charset=utf-8");
  expect(await types("/metrics")).toMatch(/^(text\/plain|application\/openmetrics-text)/);
  expect(await get("/openapi.json")).toMatchObject({ status: 200, body: { openapi: expect.stringMatching(/^3\./) } });
});

test("logs one JSON object a line, without a request's data", async () => {
  await infer("arithmetic", { inputs: [{ ...a, data: [424_242, "secret"] }, b] });
  await infer("arithmetic", '{"inputs": secret}');
  const refused = server.log.filter((line) => line.message === "request refused");
  expect(refused.at(-1)).toMatchObject({ level: "warn", status: 400, method: "POST", time: expect.any(String) });
  expect(server.stdout).not.toMatch(/424242|secret/);
});

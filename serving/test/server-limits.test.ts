import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { identityModel, onnxFile } from "./onnx-file.ts";
import { ServerProcess } from "./server-process.ts";

let server: ServerProcess;

beforeAll(async () => {
  const open = (name: string, type: "FP32" | "INT8") => ({ name, type, shape: ["n"] }) as const;
  const flags = ["--max-json-bytes", "20000", "--model-control", "explicit"];
  server = await ServerProcess.serving(
    {
      "m/1/model.onnx": identityModel([open("x", "FP32")]),
      "bytes/1/model.onnx": identityModel([open("x", "INT8")]),
      "cube/1/model.onnx": identityModel([{ name: "x", type: "FP32", shape: ["a", "b", "c"] }]),
      "cube/config.json": Buffer.from('{"emptyTensors": true}'),
      "normalize/1/model.onnx": onnxFile({
        nodes: [{ operator: "InstanceNormalization", inputs: ["x", "scale", "bias"], outputs: ["y"] }],
        inputs: [{ name: "x", type: "FP32", shape: ["n", 3, "h", "w"] }],
        outputs: [{ name: "y", type: "FP32", shape: ["n", 3, "h", "w"] }],
        initializers: [
          { name: "scale", values: [1, 1, 1] },
          { name: "bias", values: [0, 0, 0] },
        ],
      }),
    },
    flags,
  );
});

afterAll(() => server.stop());

async function post(path: string, body: string | Buffer, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(server.url + path, { method: "POST", body: Buffer.from(body), headers });
  const bytes = Buffer.from(await response.arrayBuffer());
  return { status: response.status, bytes, error: bytes.toString().slice(0, 500) };
}

/** A request with its tensor as binary data. */
function binary(model: string, datatype: string, shape: readonly number[], data: Buffer, parameters = {}) {
  const x = { name: "x", datatype, shape, parameters: { binary_data_size: data.length } };
  const json = JSON.stringify({ inputs: [x], parameters });
  const headers = { "inference-header-content-length": String(json.length) };
  return post(`/v2/models/${model}/infer`, Buffer.concat([Buffer.from(json), data]), headers);
}

test("refuses JSON over the limit, and takes the same tensor as binary data", async () => {
  const data = Array(10_000).fill(0.25);
  const json = JSON.stringify({ inputs: [{ name: "x", datatype: "FP32", shape: [10_000], data }] });
  expect(await post("/v2/models/m/infer", json)).toMatchObject({
    status: 413,
    error: expect.stringMatching(/the request's JSON has \d+ bytes, more than 20000, .*: send tensors as binary data/),
  });
  const bytes = Buffer.from(Float32Array.from(data).buffer);
  const answer = await binary("m", "FP32", [10_000], bytes, { binary_data_output: true });
  expect([answer.status, answer.bytes.subarray(-bytes.length).equals(bytes)]).toEqual([200, true]);
});

test("refuses to write more JSON than the limit, and says how to ask", async () => {
  const data = Buffer.alloc(15_000, 7);
  expect(await binary("bytes", "INT8", [15_000], data)).toMatchObject({
    status: 400,
    error: expect.stringContaining("output 'x_out' of shape [15000] makes the answer's JSON too large"),
  });
  expect((await binary("bytes", "INT8", [15_000], data, { binary_data_output: true })).status).toBe(200);
  const large = await binary("bytes", "INT8", [9_000], Buffer.alloc(9_000, 7));
  expect(JSON.parse(large.bytes.toString())).toMatchObject({ outputs: [{ data: Array(9_000).fill(7) }] });
});

test("refuses shapes whose product overflows, though they hold no element", async () => {
  for (const shape of [
    [4_294_967_295, 4_294_967_295, 0],
    [0, 9_007_199_254_740_991, 1],
  ]) {
    expect(await binary("cube", "FP32", shape, Buffer.alloc(0))).toMatchObject({
      status: 400,
      error: expect.stringContaining("input 'x': 'shape'"),
    });
  }
});

test("refuses a tensor without elements, on which the runtime would end the process", async () => {
  expect(await binary("normalize", "FP32", [1, 3, 0, 0], Buffer.alloc(0))).toMatchObject({
    status: 400,
    error: expect.stringContaining("'shape' is [1,3,0,0], and this model takes no tensor without elements"),
  });
  expect((await binary("normalize", "FP32", [1, 3, 1, 1], Buffer.alloc(12))).status).toBe(200);
});

test("refuses outputs in shared memory, which it does not have", async () => {
  const x = { name: "x", datatype: "FP32", shape: [1], data: [1] };
  const outputs = [{ name: "x_out", parameters: { shared_memory_region: "r", shared_memory_byte_size: 4 } }];
  expect(await post("/v2/models/m/infer", JSON.stringify({ inputs: [x], outputs }))).toMatchObject({
    status: 400,
    error: expect.stringContaining("shared memory is not supported"),
  });
});

test("pages of other sites cannot make a browser load or unload models", async () => {
  const unload = (headers: Readonly<Record<string, string>>) => post("/v2/repository/models/cube/unload", "", headers);
  for (const site of ["cross-site", "same-site"]) expect((await unload({ "sec-fetch-site": site })).status).toBe(403);
  expect((await unload({ "sec-fetch-site": "same-origin" })).status).toBe(200);
});

test("counts what the transport refuses among the requests", async () => {
  const refused = await post("/v2/models/m/infer", "x", { "content-encoding": "zstd" });
  expect(refused.status).toBe(415);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toMatch(/model_server_requests_total\{[^}]*status="415"\} 1/);
});

test("closes connections above the limit, says so in the log, and takes others once there is room", async () => {
  const model = identityModel([{ name: "x", type: "FP32", shape: ["n"] }]);
  const limited = await ServerProcess.serving({ "m/1/model.onnx": model }, [
    "--max-connections",
    "2",
    "--grpc-port",
    "0",
  ]);
  onTestFinished(() => limited.stop());
  const ports = limited.log.find(({ message }) => message === "listening");
  for (const each of [ports?.port, ports?.grpcPort] as number[]) {
    const open = [await connected(each), await connected(each)];
    const third = await connected(each);
    await once(third, "close");
    expect(open.map(({ closed }) => closed)).toEqual([false, false]);
    open[0]?.destroy();
    await expect.poll(async () => isKept(await connected(each))).toBe(true);
    for (const socket of open) socket.destroy();
  }
  await limited.logged("connection closed: as many are open as may be");
});

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1").on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** Whether a connection is still there a moment later; it is ended. */
async function isKept(socket: Socket): Promise<boolean> {
  await new Promise((resolve) => setTimeout(resolve, 50));
  const kept = !socket.closed;
  socket.destroy();
  return kept;
}

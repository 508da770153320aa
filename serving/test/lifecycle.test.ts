import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { DEFAULT_TIMEOUTS } from "../src/http/limits.ts";
import { HttpListener } from "../src/http/listener.ts";
import { drain } from "../src/lifecycle/drain.ts";
import { identityModel, onnxFile } from "./onnx-file.ts";
import { ServerProcess, temporaryFolder } from "./server-process.ts";

const model = identityModel([{ name: "x", type: "FP32", shape: [2] }]);
const body = JSON.stringify({ inputs: [{ name: "x", datatype: "FP32", shape: [2], data: [1, 2] }] });

async function serving(args: readonly string[] = []): Promise<ServerProcess> {
  const server = await ServerProcess.serving({ "m/1/model.onnx": model }, args);
  onTestFinished(() => server.kill());
  return server;
}

/** A request whose headers are sent and whose body is not, so that it is in flight for as long as the test likes. */
async function halfSent(server: ServerProcess): Promise<{ socket: Socket; answer: Promise<string> }> {
  const socket = connect(server.port, "127.0.0.1");
  await once(socket, "connect");
  const answer = new Promise<string>((resolve, reject) => {
    let text = "";
    socket.on("data", (chunk: Buffer) => {
      text += chunk;
    });
    socket.on("close", () => resolve(text));
    socket.on("error", reject);
  });
  socket.write(
    `POST /v2/models/m/infer HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body.slice(0, 9)}`,
  );
  // Another request answered means that the first one's headers were read.
  await fetch(`${server.url}/v2/health/live`);
  return { socket, answer };
}

test("drains on SIGTERM: a request in flight is answered, then exit 0", async () => {
  const server = await serving();
  const { socket, answer } = await halfSent(server);
  server.child.kill("SIGTERM");
  await server.logged("draining");
  await expect
    .poll(() =>
      fetch(`${server.url}/v2/health/live`).then(
        () => "open",
        () => "closed",
      ),
    )
    .toBe("closed");
  socket.write(body.slice(9));
  expect(await answer).toMatch(/^HTTP\/1.1 200 OK.*connection: close.*"data":\[1,2\]/is);
  expect(await server.exit()).toEqual({ code: 0, signal: null });
  expect(server.stderr).toBe("");
});

test("after SIGTERM it is not ready, yet answers new requests for the drain time", async () => {
  const server = await serving(["--drain-seconds", "1"]);
  server.child.kill("SIGTERM");
  await server.logged("draining");
  const ready = await fetch(`${server.url}/v2/health/ready`);
  expect([ready.status, await ready.json()]).toEqual([503, { live: true, ready: false }]);
  expect((await fetch(`${server.url}/v2/health/live`)).status).toBe(200);
  const answered = await fetch(`${server.url}/v2/models/m/infer`, { method: "POST", body });
  expect([answered.status, answered.headers.get("connection")]).toEqual([200, "close"]);
  expect((await server.exit()).code).toBe(0);
});

test("an idle connection does not hold up the end", async () => {
  const server = await serving();
  const socket = connect(server.port, "127.0.0.1");
  await once(socket, "connect");
  server.child.kill("SIGTERM");
  expect((await server.exit()).code).toBe(0);
  socket.destroy();
});

test("ends at once when asked a second time", async () => {
  const server = await serving(["--drain-seconds", "60"]);
  server.child.kill("SIGINT");
  await server.logged("draining");
  server.child.kill("SIGINT");
  expect((await server.exit()).code).toBe(1);
});

test("answers bad HTTP and too large headers in JSON", async () => {
  const server = await serving();
  for (const [sent, status] of [
    ["no http\r\n\r\n", "400"],
    [`GET /v2 HTTP/1.1\r\nhost: x\r\nlarge: ${"x".repeat(20_000)}\r\n\r\n`, "431"],
  ] as const) {
    const socket = connect(server.port, "127.0.0.1");
    socket.write(sent);
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).toMatch(new RegExp(`^HTTP/1.1 ${status} .*\\{"error":"[^"]+"\\}$`, "s"));
    socket.destroy();
  }
});

test("answers 503 while it loads, and leaves at once when asked to then", async () => {
  const versions = Array.from({ length: 300 }, (_, index) => [`m/${index + 1}/model.onnx`, model] as const);
  const folder = temporaryFolder(Object.fromEntries(versions));
  const server = ServerProcess.start(["--model-repository", folder, "--port", "0", "--drain-seconds", "60"]);
  await server.logged("listening");
  const [ready, modelReady, infer, live] = await Promise.all([
    fetch(`${server.url}/v2/health/ready`),
    fetch(`${server.url}/v2/models/m/ready`),
    fetch(`${server.url}/v2/models/m/infer`, { method: "POST", body }),
    fetch(`${server.url}/v2/health/live`),
  ]);
  expect([ready.status, modelReady.status, infer.status, live.status]).toEqual([503, 503, 503, 200]);
  expect(infer.headers.get("retry-after")).toBe("1");
  expect(await infer.json()).toEqual({ error: "model 'm' is still loading, try again" });
  server.child.kill("SIGTERM");
  expect((await server.exit()).code).toBe(0);
  expect(server.stdout).not.toContain('"ready"');
});

test("a drain that runs out of time closes what is in flight and says so", async () => {
  let arrived = () => {};
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const handler = {
    admit: () => () => {
      arrived();
      return new Promise<never>(() => {});
    },
    keepsConnections: () => true,
    refused: () => undefined,
  };
  const sizes = { maxBodyBytes: 1_000, maxHeaderBytes: 1_000, maxHeldBytes: 1_000 };
  const listener = new HttpListener(handler, { ...DEFAULT_TIMEOUTS, ...sizes });
  const { port } = await listener.listen("127.0.0.1", 0);
  const request = fetch(`http://127.0.0.1:${port}`).catch(() => "cut off");
  await arrival;
  await expect(drain(listener, { stillAnswerMs: 0, inFlightMs: 50 })).rejects.toThrow("still in flight");
  expect(await request).toBe("cut off");
});

test("tells a client that asks first that its body is too large, before it sends any", async () => {
  const server = await serving(["--max-body-bytes", "10"]);
  for (const [length, status] of [
    [11, "413"],
    [10, "100"],
  ]) {
    const socket = connect(server.port, "127.0.0.1");
    socket.write(
      `POST /v2/models/m/infer HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: ${length}\r\n\r\n`,
    );
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    socket.destroy();
  }
});

test("tells a client that asks first that there is no such model, before it sends anything to it", async () => {
  const server = await serving();
  const ask = async (path: string, headers: string) => {
    const socket = connect(server.port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    const body = headers === "" ? "{}" : "";
    socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\n${headers}content-length: 2\r\n\r\n${body}`);
    const [answer] = (await once(socket, "data")) as [Buffer];
    return answer.toString();
  };
  const expecting = "expect: 100-continue\r\n";
  expect(await ask("/v2/models/m/infer", expecting)).toMatch(/^HTTP\/1.1 100 /);
  for (const path of ["/v2/models/other/infer", "/v2/models/m/versions/7/infer"]) {
    const [asked, sent] = [await ask(path, expecting), await ask(path, "")];
    expect(asked).toMatch(/^HTTP\/1.1 404 /);
    expect(asked.split("\r\n\r\n")[1]).toBe(sent.split("\r\n\r\n")[1]);
  }
});

test("survives a client that leaves half-way", async () => {
  const server = await serving();
  const { socket, answer } = await halfSent(server);
  socket.destroy();
  await answer;
  expect((await fetch(`${server.url}/v2/models/m/infer`, { method: "POST", body })).status).toBe(200);
  expect(server.log.filter(({ level }) => level !== "info")).toEqual([]);
});

const sequence = onnxFile({
  nodes: [{ operator: "SequenceConstruct", inputs: ["x"], outputs: ["y"] }],
  inputs: [{ name: "x", type: "FP32", shape: [2] }],
  outputs: [{ name: "y", type: "FP32", sequence: true }],
});

test.each<[string, Readonly<Record<string, Buffer | string>>, RegExp]>([
  ["an empty repository", {}, /is empty: expected <model name>\/<version number>\/model.onnx/],
  ["a model without a version", { "m/model.onnx": model }, /m has no version: expected .*m\/1\/model.onnx/],
  ["a version without a file", { "m/1/model.pt": model }, /cannot read .*m\/1\/model.onnx: it does not exist/],
  ["a file that is no ONNX", { "m/1/model.onnx": "hello" }, /cannot serve .*model.onnx: it is no ONNX file/],
  ["a truncated model", { "m/1/model.onnx": model.subarray(0, 40) }, /model.onnx: .*not the whole of one/],
  ["an output that is no tensor", { "m/1/model.onnx": sequence }, /output 'y' is a sequence or a map.*zipmap=False/],
])("exits 1 with one line on stderr for %s", async (_what, files, reason) => {
  const folder = temporaryFolder(files);
  const server = ServerProcess.start(["--model-repository", folder, "--host", "127.0.0.1", "--port", "0"]);
  expect((await server.exit()).code).toBe(1);
  expect(server.stderr).toMatch(/^model-server: [^\n]+\n$/);
  expect(server.stderr).toMatch(reason);
});

test("serves the good models beside a broken one, says why it is not ready, and never becomes so", async () => {
  const folder = temporaryFolder({ "a/1/model.onnx": model, "m/1/model.onnx": "x" });
  const flags = ["--host", "127.0.0.1", "--port", "0", "--drain-seconds", "0"];
  const server = ServerProcess.start(["--model-repository", folder, ...flags]);
  await server.logged("not ready: not every model could be loaded");
  expect((await fetch(`${server.url}/v2/models/a/infer`, { method: "POST", body })).status).toBe(200);
  expect((await fetch(`${server.url}/v2/health/ready`)).status).toBe(503);
  const broken = await fetch(`${server.url}/v2/models/m/infer`, { method: "POST", body });
  expect([broken.status, await broken.json()]).toEqual([503, { error: expect.stringContaining("it is no ONNX file") }]);
  expect(server.log).toContainEqual(
    expect.objectContaining({ level: "error", message: "cannot serve model", model: "m" }),
  );
  server.child.kill("SIGTERM");
  expect((await server.exit()).code).toBe(0);
});

test("is ready beside a broken model when one is enough, and drains for those that are served", async () => {
  const folder = temporaryFolder({ "a/1/model.onnx": model, "m/1/model.onnx": "x" });
  const flags = ["--host", "127.0.0.1", "--port", "0", "--ready-when", "any", "--drain-seconds", "1"];
  const server = ServerProcess.start(["--model-repository", folder, ...flags]);
  await server.logged("ready");
  await server.logged("not every model could be loaded");
  expect((await fetch(`${server.url}/v2/health/ready`)).status).toBe(200);
  server.child.kill("SIGTERM");
  await server.logged("draining");
  expect(server.log).toContainEqual(expect.objectContaining({ message: "draining", seconds: 1 }));
  expect((await fetch(`${server.url}/v2/models/a/infer`, { method: "POST", body })).status).toBe(200);
  expect((await server.exit()).code).toBe(0);
});

test("exits 1 when the repository does not exist or the port is taken", async () => {
  const missing = ServerProcess.start(["--model-repository", "/no/such/folder", "--port", "0"]);
  expect((await missing.exit()).code).toBe(1);
  expect(missing.stderr).toMatch(
    /^model-server: cannot read the model repository \/no\/such\/folder: it does not exist/,
  );

  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  onTestFinished(() => void holder.close());
  const { port } = holder.address() as AddressInfo;
  const folder = temporaryFolder({ "m/1/model.onnx": model });
  const taken = ServerProcess.start(["--model-repository", folder, "--host", "127.0.0.1", "--port", String(port)]);
  expect((await taken.exit()).code).toBe(1);
  expect(taken.stderr).toBe(`model-server: cannot listen on 127.0.0.1 port ${port}: the port is taken\n`);
});

test("exits 2 with one line on stderr for a flag it does not know, and prints help for --help", async () => {
  const wrong = ServerProcess.start(["--prot", "80"]);
  expect((await wrong.exit()).code).toBe(2);
  expect(wrong.stderr).toBe("model-server: Unknown option '--prot'; --help lists the flags\n");
  const help = ServerProcess.start(["--help"]);
  expect((await help.exit()).code).toBe(0);
  expect(help.stdout).toMatch(/--model-repository FOLDER .*MODEL_REPOSITORY; default \/models/);
});

test("takes settings from the environment", async () => {
  const folder = temporaryFolder({ "m/1/model.onnx": model });
  const server = ServerProcess.start([], {
    MODEL_REPOSITORY: folder,
    HOST: "127.0.0.1",
    PORT: "0",
    DRAIN_SECONDS: "0",
  });
  await server.logged("ready");
  expect((await fetch(`${server.url}/v2/models/m/ready`)).status).toBe(200);
  await server.stop();
});

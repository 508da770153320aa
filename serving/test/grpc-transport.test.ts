import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as tlsConnect } from "node:tls";
import { gzipSync } from "node:zlib";
import { credentials, type ServiceError } from "@grpc/grpc-js";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Cancellation } from "../src/execution/cancellation.ts";
import { Cancelled } from "../src/execution/cancellation.ts";
import type { InferOptions, Model } from "../src/models/model.ts";
import type { Catalog } from "../src/service.ts";
import { createCertificate } from "./certificates.ts";
import { GrpcPeer } from "./grpc-peer.ts";
import { exchange, http2 } from "./http2-client.ts";
import { additionModel, identityModel } from "./onnx-file.ts";
import { temporaryFolder } from "./server-process.ts";
import { TestCatalog } from "./test-catalog.ts";

const request = {
  model_name: "sum",
  inputs: [{ name: "x", datatype: "FP32", shape: [1], contents: { fp32_contents: [0] } }],
};
const sum = { "sum/1/model.onnx": additionModel([1]) };

/** A catalog whose model runs when it is let: what happens while a request waits is then no matter of time. */
async function heldCatalog(): Promise<{ catalog: Catalog; waiting: InferOptions[]; letRun: () => void }> {
  const { catalog } = await TestCatalog.started(sum);
  const waiting: InferOptions[] = [];
  let letRun = (): void => undefined;
  const let_ = new Promise<void>((resolve) => {
    letRun = resolve;
  });
  const infer: Model["infer"] = async (inputs, options) => {
    waiting.push(options);
    await Promise.race([let_, cancelled(options.cancellation)]);
    if (options.cancellation?.cancelled) throw new Cancelled();
    return catalog.get("sum").infer(inputs, options);
  };
  const model = { ...pick(catalog.get("sum")), infer };
  return { catalog: Object.assign(Object.create(catalog), { get: () => model }) as Catalog, waiting, letRun };
}

function pick({ name, version, inputs, outputs }: Model): Partial<Model> {
  return { name, version, inputs, outputs };
}

function cancelled(cancellation: Cancellation | undefined): Promise<void> {
  return new Promise((resolve) => cancellation?.onCancel(resolve));
}

describe("a deadline", () => {
  test("is the earliest of the server's own, the request's timeout and the call's", async () => {
    const { catalog, waiting, letRun } = await heldCatalog();
    const client = await GrpcPeer.start({ catalog, requestTimeoutMs: 60_000 });
    letRun();
    const left = async (message: object, deadline?: number): Promise<number> => {
      const before = performance.now();
      await client.call("ModelInfer", { ...request, ...message }, deadline === undefined ? {} : { deadline });
      return Number(waiting.at(-1)?.deadline) - before;
    };
    const timeout = (us: number) => ({ parameters: { timeout: { int64_param: us } } });
    expect(await left({})).toBeGreaterThanOrEqual(60_000);
    expect(await left(timeout(0))).toBeGreaterThanOrEqual(60_000);
    const asked = await left(timeout(30_000_000));
    expect(asked).toBeGreaterThanOrEqual(30_000);
    expect(asked).toBeLessThan(60_000);
    expect(await left(timeout(30_000_000), Date.now() + 20_000)).toBeLessThan(30_000);
  });

  test("that passes ends the call, and nobody waits for the model any more", async () => {
    const { catalog, waiting } = await heldCatalog();
    const client = await GrpcPeer.start({ catalog });
    const refusal = await client.refusal("ModelInfer", request, { deadline: Date.now() + 300 });
    expect(refusal).toMatch(/^DEADLINE_EXCEEDED/);
    await expect.poll(() => waiting[0]?.cancellation?.cancelled).toBe(true);
  });
});

test("a call that its client cancels is cancelled in the queue", async () => {
  const { catalog, waiting } = await heldCatalog();
  const client = await GrpcPeer.start({ catalog });
  const infer = client.stub.ModelInfer as (message: object, done: () => void) => { cancel(): void };
  const call = infer.call(client.stub, request, () => undefined);
  await expect.poll(() => waiting.length).toBe(1);
  call.cancel();
  await expect.poll(() => waiting[0]?.cancellation?.cancelled).toBe(true);
  expect(client.log.messages("error")).toEqual([]);
});

describe("the size of a message", () => {
  test("is limited, also once it is decompressed", async () => {
    const { catalog } = await TestCatalog.started({
      "m/1/model.onnx": identityModel([{ name: "x", type: "UINT8", shape: ["n"] }]),
    });
    const client = await GrpcPeer.start({ catalog, maxBodyBytes: 100_000 });
    const message = (size: number) => ({
      model_name: "m",
      inputs: [{ name: "x", datatype: "UINT8", shape: [size] }],
      raw_input_contents: [Buffer.alloc(size)],
    });
    expect(await client.refusal("ModelInfer", message(99_000))).toBe("OK");
    expect(await client.refusal("ModelInfer", message(100_000))).toMatch(/^RESOURCE_EXHAUSTED: .*100000/);
    const session = await http2(client.port);
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    expect(await exchange(session, bomb, { "grpc-encoding": "gzip" })).toMatchObject({ status: "8" });
    expect(await client.refusal("ModelInfer", message(1))).toBe("OK");
  });
});

test("large requests that wait or run count as held until they are answered", async () => {
  const { catalog, waiting, letRun } = await heldCatalog();
  const client = await GrpcPeer.start({ catalog }, { maxHeldBytes: 100_000 });
  const large = { ...request, unknown: "x".repeat(70_000) };
  const first = client.refusal("ModelInfer", large);
  await expect.poll(() => waiting.length).toBe(1);
  expect(await client.refusal("ModelInfer", large)).toMatch(/^UNAVAILABLE: the server holds as many request bodies/);
  letRun();
  expect(await first).toBe("OK");
  expect(await client.refusal("ModelInfer", large)).toBe("OK");
});

test("clients may send a megabyte before they must wait", async () => {
  const client = await GrpcPeer.start(await TestCatalog.started(sum));
  const session = await http2(client.port);
  await expect.poll(() => session.remoteSettings.initialWindowSize).toBe(1_048_576);
  await expect.poll(() => session.state.remoteWindowSize).toBe(1_048_576);
});

test("metadata above the limit of headers is refused, and clients are told the limit", async () => {
  const client = await GrpcPeer.start(await TestCatalog.started(sum), { maxHeaderBytes: 4_096 });
  const session = await http2(client.port);
  await expect.poll(() => session.remoteSettings.maxHeaderListSize).toBe(4_096);
  const ask = (bytes: number) => client.refusal("ModelInfer", request, { metadata: { note: "x".repeat(bytes) } });
  expect([await ask(3_000), (await ask(5_000)).split(":", 1)[0]]).toEqual(["OK", "RESOURCE_EXHAUSTED"]);
  expect(await ask(10)).toBe("OK");
});

describe("a server that drains", () => {
  test("answers what is in flight, takes no more, and has then ended", async () => {
    const { catalog, waiting, letRun } = await heldCatalog();
    const client = await GrpcPeer.start({ catalog });
    const inFlight = client.refusal("ModelInfer", request);
    await expect.poll(() => waiting.length).toBe(1);
    const drained = client.server.drain();
    const late = client.refusal("ModelInfer", request);
    letRun();
    expect(await inFlight).toBe("OK");
    expect(await late).toMatch(/^UNAVAILABLE/);
    await drained;
    await expect(http2(client.port)).rejects.toThrow(/ECONNREFUSED/);
  });

  test("ends calls that have no end: streams after the answers that are due, watchers of health", async () => {
    const { catalog, waiting, letRun } = await heldCatalog();
    let ready = true;
    const client = await GrpcPeer.start({ catalog, isReady: () => ready });
    const stream = openStream(client);
    stream.write({ ...request, id: "due" });
    const told: number[] = [];
    const asItIs = (value: Buffer) => value;
    const path = "/grpc.health.v1.Health/Watch";
    const watch = client.stub.makeServerStreamRequest(path, asItIs, asItIs, Buffer.alloc(0));
    watch.on("data", (bytes: Buffer) => told.push(bytes[1] ?? 0));
    await expect.poll(() => [waiting.length, told.length]).toEqual([1, 1]);
    ready = false;
    const drained = client.server.drain();
    letRun();
    await drained;
    expect(told).toEqual([1, 2]);
    expect(stream.answers).toEqual(["due"]);
    expect(stream.end).toMatch(/^14 the server is shutting down/);
  });

  test("can be ended at once", async () => {
    const { catalog, waiting } = await heldCatalog();
    const client = await GrpcPeer.start({ catalog });
    const inFlight = client.refusal("ModelInfer", request);
    await expect.poll(() => waiting.length).toBe(1);
    const drained = client.server.drain();
    client.server.close();
    expect(await inFlight).toMatch(/^UNAVAILABLE/);
    await drained;
  });
});

describe("a stream of requests", () => {
  test("is answered in its order, and goes on after one that is refused", async () => {
    const client = await GrpcPeer.start(await TestCatalog.started(sum));
    const stream = openStream(client);
    const final = { triton_enable_empty_final_response: { bool_param: true } };
    for (let index = 0; index < 200; index++) {
      const fault = index % 10 === 3 ? { model_name: "x" } : {};
      stream.write({ ...request, ...fault, id: String(index), parameters: index === 5 ? final : {} });
    }
    stream.finish();
    await expect.poll(() => stream.end).toBe("OK");
    const expected = Array.from({ length: 200 }, (_, index) =>
      index % 10 === 3 ? `${index} there is no model 'x'; this server has: sum` : String(index),
    );
    expect(stream.answers).toEqual(expected);
    expect(stream.finals).toEqual(["5"]);
  });

  test("that its client leaves cancels what waits", async () => {
    const { catalog, waiting } = await heldCatalog();
    const client = await GrpcPeer.start({ catalog });
    const stream = openStream(client);
    stream.write(request);
    stream.write(request);
    await expect.poll(() => waiting.length).toBe(2);
    stream.cancel();
    await expect.poll(() => waiting.every(({ cancellation }) => cancellation?.cancelled)).toBe(true);
  });

  test("needs a token where one is asked for", async () => {
    const client = await GrpcPeer.start({ ...(await TestCatalog.started(sum)), isAuthorized: () => false });
    const stream = openStream(client);
    await expect.poll(() => stream.end).toMatch(/^16 a bearer token is needed/);
  });
});

test("speaks TLS, asks for client certificates, and takes up a renewed certificate", async () => {
  const folder = temporaryFolder();
  const first = createCertificate(folder, "first");
  const second = createCertificate(folder, "second");
  const [cert, key, renewedCert, renewedKey] = [first.cert, first.key, second.cert, second.key].map((path) =>
    readFileSync(path),
  ) as [Buffer, Buffer, Buffer, Buffer];
  const { catalog } = await TestCatalog.started(sum);
  const tls = { cert, key, ca: cert, requestCert: true, rejectUnauthorized: true } as const;
  const channel = credentials.createSsl(cert, key, cert);
  const client = await GrpcPeer.start({ catalog }, { tls }, channel);
  expect(await client.refusal("ModelInfer", request)).toBe("OK");
  const call = async (trusted: Buffer, own?: Buffer, ownKey?: Buffer) => {
    const options = { host: "localhost", port: client.port, ALPNProtocols: ["h2"] };
    const socket = tlsConnect({ ...options, ca: trusted, cert: own, key: ownKey });
    onTestFinished(() => void socket.destroy());
    // The server speaks first: its settings.
    const served = once(socket, "data").then(() => "served");
    return served.catch(() => "refused");
  };
  expect(await call(cert, cert, key)).toBe("served");
  expect(await call(cert)).toBe("refused");
  (client.server.server as unknown as { setSecureContext(options: object): void }).setSecureContext({
    cert: renewedCert,
    key: renewedKey,
    ca: cert,
  });
  expect(await call(renewedCert, cert, key)).toBe("served");
  expect(await call(cert, cert, key)).toBe("refused");
});

interface StreamAnswer {
  readonly error_message: string;
  readonly infer_response: { readonly id: string; readonly parameters: object } | null;
}

/** A `ModelStreamInfer` call; `answers` holds the ids, with the message of those that failed. */
function openStream(client: GrpcPeer) {
  const open = client.stub.ModelStreamInfer as () => NodeJS.EventEmitter & {
    write(message: object): void;
    end(): void;
    cancel(): void;
  };
  const call = open.call(client.stub);
  const answers: string[] = [];
  const finals: string[] = [];
  const stream = {
    answers,
    finals,
    /** `OK`, or the code and details that it ended with. */
    end: "",
    write: (message: object) => call.write(message),
    finish: () => call.end(),
    cancel: () => call.cancel(),
  };
  call.on("data", ({ error_message: fault, infer_response: response }: StreamAnswer) => {
    answers.push([response?.id, fault].filter((part) => part !== "").join(" "));
    if (response !== null && "triton_final_response" in response.parameters) finals.push(response.id);
  });
  call.on("error", ({ code, details }: ServiceError) => {
    stream.end = `${code} ${details}`;
  });
  call.on("end", () => {
    if (stream.end === "") stream.end = "OK";
  });
  return stream;
}

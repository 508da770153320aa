import { once } from "node:events";
import { type ChannelCredentials, type Client, credentials, loadPackageDefinition } from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";
import { describe, expect, onTestFinished, test } from "vitest";
import { encode } from "../src/grpc/protobuf/encode.ts";
import { enumeration, many, map, message, one } from "../src/grpc/protobuf/schema.ts";
import { ProtocolError } from "../src/protocol/error.ts";
import { NO_TELEMETRY, type Telemetry } from "../src/telemetry/telemetry.ts";
import { GrpcPeer, type Message, refusalOf } from "./grpc-peer.ts";
import { additionModel, identityModel } from "./onnx-file.ts";
import { TestCatalog } from "./test-catalog.ts";

const sum = { "sum/1/model.onnx": additionModel([1]), "sum/3/model.onnx": additionModel([3]) };
const one1 = {
  model_name: "sum",
  inputs: [{ name: "x", datatype: "FP32", shape: [1], contents: { fp32_contents: [0] } }],
};

describe("metadata", () => {
  test("the server tells its name, version and extensions", async () => {
    const { catalog } = await TestCatalog.started(sum);
    const client = await GrpcPeer.start({ catalog });
    expect(await client.call("ServerMetadata")).toMatchObject({
      name: "model-server",
      version: "1.2.3",
      extensions: expect.arrayContaining(["statistics", "model_repository"]),
    });
  });

  test("a model tells its versions, inputs and outputs, and is asked for by version or without", async () => {
    const { catalog } = await TestCatalog.started({
      "m/2/model.onnx": identityModel([{ name: "x", type: "INT64", shape: ["n", 3] }]),
      "m/10/model.onnx": identityModel([{ name: "x", type: "INT64", shape: ["n", 3] }]),
    });
    const client = await GrpcPeer.start({ catalog });
    const tensor = { datatype: "INT64", shape: ["-1", "3"] };
    expect(await client.call("ModelMetadata", { name: "m" })).toEqual({
      name: "m",
      versions: ["2", "10"],
      platform: "onnx_onnxv1",
      inputs: [{ name: "x", ...tensor }],
      outputs: [{ name: "x_out", ...tensor }],
    });
    expect(await client.call("ModelMetadata", { name: "m", version: "2" })).toMatchObject({ versions: ["2"] });
    expect(await client.refusal("ModelMetadata", { name: "n" })).toMatch(/^NOT_FOUND: there is no model 'n'/);
  });

  test("the configuration is Triton's: datatypes by their numbers, dimensions without that of the batch", async () => {
    const { catalog } = await TestCatalog.started({
      "m/1/model.onnx": identityModel([{ name: "x", type: "BYTES", shape: ["n", 3] }]),
    });
    const client = await GrpcPeer.start({ catalog });
    const tensor = { data_type: 13, dims: ["3"] };
    expect((await client.call("ModelConfig", { name: "m" })).config).toMatchObject({
      name: "m",
      backend: "onnxruntime",
      max_batch_size: expect.any(Number),
      input: [{ name: "x", ...tensor }],
      output: [{ name: "x_out", ...tensor }],
      instance_group: [{ count: 1, kind: 2 }],
    });
  });

  test("statistics count inferences and failures, of one version, one model or all", async () => {
    const { catalog } = await TestCatalog.started({ ...sum, "other/1/model.onnx": additionModel([1]) });
    const client = await GrpcPeer.start({ catalog });
    await client.call("ModelInfer", one1);
    await client.call("ModelInfer", one1);
    const all = (await client.call("ModelStatistics")).model_stats as readonly Message[];
    expect(all.map(({ name, version }) => `${name} ${version}`).sort()).toEqual(["other 1", "sum 1", "sum 3"]);
    const version = (await client.call("ModelStatistics", { name: "sum", version: "3" })).model_stats;
    expect(version).toMatchObject([
      { execution_count: "2", inference_stats: { success: { count: "2" } }, batch_stats: [{ batch_size: "1" }] },
    ]);
    expect((await client.call("ModelStatistics", { name: "sum" })).model_stats).toHaveLength(2);
    expect(await client.refusal("ModelStatistics", { name: "x" })).toMatch(/^NOT_FOUND/);
  });
});

describe("health", () => {
  test("live from the start; ready as the service is, a model as it is", async () => {
    let ready = false;
    const { catalog } = await TestCatalog.started(sum);
    const client = await GrpcPeer.start({ catalog, isReady: () => ready });
    expect(await client.call("ServerLive")).toEqual({ live: true });
    expect(await client.call("ServerReady")).toEqual({ ready: false });
    ready = true;
    expect(await client.call("ServerReady")).toEqual({ ready: true });
    expect(await client.call("ModelReady", { name: "sum", version: "3" })).toEqual({ ready: true });
    expect(await client.refusal("ModelReady", { name: "sum", version: "2" })).toMatch(/^NOT_FOUND: model 'sum' has no/);
    await catalog.unload("sum");
    expect(await client.call("ModelReady", { name: "sum" })).toEqual({ ready: false });
  });

  test("grpc.health.v1 tells of the server and of its service", async () => {
    let ready = true;
    const client = await GrpcPeer.start({ ...(await TestCatalog.started(sum)), isReady: () => ready });
    const check = (service: string) => client.send("Check", field(1, service), "grpc.health.v1.Health");
    const [serving, notServing] = [Buffer.from([8, 1]), Buffer.from([8, 2])];
    expect(await check("")).toEqual(serving);
    expect(await check("inference.GRPCInferenceService")).toEqual(serving);
    ready = false;
    expect(await check("")).toEqual(notServing);
    expect(await refusalOf(check("x"))).toBe("NOT_FOUND: there is no service 'x' here");
  });

  test("those who watch health are told at once and of each change, and that a service is unknown", async () => {
    let ready = true;
    const client = await GrpcPeer.start({ ...(await TestCatalog.started(sum)), isReady: () => ready });
    const watch = (service: string) => {
      const told: number[] = [];
      const path = "/grpc.health.v1.Health/Watch";
      const asItIs = (value: Buffer) => value;
      const call = client.stub.makeServerStreamRequest(path, asItIs, asItIs, field(1, service));
      call.on("data", (bytes: Buffer) => told.push(bytes[1] ?? 0)).on("error", () => undefined);
      return { call, told };
    };
    const { call, told } = watch("");
    const unknown = watch("x");
    await expect.poll(() => [told, unknown.told]).toEqual([[1], [3]]);
    ready = false;
    await expect.poll(() => told).toEqual([1, 2]);
    ready = true;
    await expect.poll(() => told).toEqual([1, 2, 1]);
    call.cancel();
    unknown.call.cancel();
  });
});

describe("the model repository", () => {
  test("is listed, and models are loaded and unloaded", async () => {
    const { catalog } = await TestCatalog.started(sum);
    const client = await GrpcPeer.start({ catalog });
    const states = async (ready: boolean) =>
      ((await client.call("RepositoryIndex", { ready })).models as readonly Message[]).map(({ state }) => state);
    expect(await states(true)).toEqual(["READY", "READY"]);
    await client.call("RepositoryModelUnload", { model_name: "sum", parameters: { unload_dependents: {} } });
    expect(await states(true)).toEqual([]);
    expect(await states(false)).toContain("UNAVAILABLE");
    expect(await client.refusal("ModelInfer", one1)).toMatch(/^(UNAVAILABLE|NOT_FOUND): /);
    await client.call("RepositoryModelLoad", { model_name: "sum" });
    expect(await states(true)).toEqual(["READY", "READY"]);
    expect(await client.refusal("RepositoryModelLoad", { model_name: "x" })).toMatch(/^NOT_FOUND: .*'x'/);
    const config = { model_name: "sum", parameters: { config: { string_param: "{}" } } };
    expect(await client.refusal("RepositoryModelLoad", config)).toMatch(/^INVALID_ARGUMENT: load takes no parameter/);
  });

  test("is closed to clients unless the server is told to open it", async () => {
    const { catalog } = await TestCatalog.started(sum);
    const client = await GrpcPeer.start({ catalog, modelControl: false });
    for (const method of ["RepositoryModelLoad", "RepositoryModelUnload"]) {
      expect(await client.refusal(method, { model_name: "sum" })).toMatch(/^PERMISSION_DENIED: .*--model-control/);
    }
    expect((await client.call("ModelInfer", one1)).model_version).toBe("3");
  });
});

test("a token is asked for, but not by health", async () => {
  const { catalog } = await TestCatalog.started(sum);
  const client = await GrpcPeer.start({ catalog, isAuthorized: (authorization) => authorization === "Bearer right" });
  for (const method of ["ModelInfer", "ModelMetadata", "ModelReady", "RepositoryIndex", "ModelStatistics"]) {
    expect(await client.refusal(method, { name: "sum" })).toMatch(/^UNAUTHENTICATED: a bearer token is needed/);
  }
  const wrong = { metadata: { authorization: "Bearer wrong" } };
  expect(await client.refusal("ModelInfer", one1, wrong)).toMatch(/^UNAUTHENTICATED/);
  expect(await client.refusal("ModelInfer", one1, { metadata: { authorization: "Bearer right" } })).toBe("OK");
  expect(await client.call("ServerReady")).toEqual({ ready: true });
  expect(await client.send("Check", Buffer.alloc(0), "grpc.health.v1.Health")).toEqual(Buffer.from([8, 1]));
  expect(client.log.lines.map(({ fields }) => JSON.stringify(fields)).join()).not.toContain("wrong");
});

test("each inference is recorded with its headers, the model that answered, and how it ended", async () => {
  const { catalog } = await TestCatalog.started(sum);
  const records: string[] = [];
  const telemetry: Telemetry = {
    ...NO_TELEMETRY,
    begin: (protocol, header) => {
      const record = [protocol, header("traceparent") ?? "none"];
      return {
        model: (...names) => void record.push(...names),
        executed: ({ batchSize }) => void record.push(`batch of ${batchSize}`),
        finish: (status) => void records.push([...record, status].join()),
      };
    },
  };
  const client = await GrpcPeer.start({ catalog, telemetry });
  await client.call("ModelInfer", one1, { metadata: { traceparent: "00-1-2-01" } });
  await client.refusal("ModelInfer", { ...one1, model_name: "x" });
  await client.refusal("ModelInfer", { ...one1, inputs: [] });
  await client.refusal("ModelMetadata", { name: "x" });
  expect(records).toEqual([
    "grpc,00-1-2-01,sum,3,batch of 1,OK",
    "grpc,none,NOT_FOUND",
    "grpc,none,sum,3,INVALID_ARGUMENT",
  ]);
});

test("refusals are logged without the request, failures with their stack", async () => {
  const { catalog } = await TestCatalog.started(sum);
  const broken = {
    get: () => {
      throw new TypeError("a fault of ours");
    },
  };
  const client = await GrpcPeer.start({ catalog: Object.assign(Object.create(catalog), broken) });
  expect(await client.refusal("ModelInfer", one1)).toBe("INTERNAL: internal error");
  expect(client.log.lines).toMatchObject([
    { level: "error", message: "request failed", fields: { method: "ModelInfer", code: "INTERNAL" } },
  ]);
  expect(client.log.lines[0]?.fields.stack).toContain("a fault of ours");
});

test("a message of refusal is cut to what clients accept, and may hold any text", async () => {
  const { catalog } = await TestCatalog.started(sum);
  const client = await GrpcPeer.start({ catalog });
  const refusal = await client.refusal("ModelInfer", { model_name: `${"é".repeat(99)}🎉${"漢".repeat(10_000)}` });
  expect(refusal).toMatch(/^NOT_FOUND: there is no model 'é+/);
  const long = {
    get: () => {
      throw new ProtocolError(429, "漢".repeat(100_000), { "retry-after": "2" });
    },
  };
  const other = await GrpcPeer.start({ catalog: Object.assign(Object.create(catalog), long) });
  const error = await other.call("ModelInfer", one1).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 8, details: expect.stringMatching(/^漢{800}…$/) });
  expect((error as { metadata: { get(name: string): unknown[] } }).metadata.get("grpc-retry-pushback-ms")).toEqual([
    "2000",
  ]);
});

test("values that are not of their field's type are no message", () => {
  const schema = message("M", {
    text: one(1, "string"),
    list: many(2, "int64"),
    kind: one(3, enumeration("Kind", ["A", "B"])),
    more: map(4, "string"),
  });
  expect(encode(schema, { text: "", list: [], kind: "A", unknown: 1 })).toEqual(Buffer.alloc(0));
  expect([...encode(schema, { list: [-1], kind: "B" })]).toEqual([18, 10, ...Array(9).fill(255), 1, 24, 1]);
  expect([...encode(schema, { more: { k: "v" } })]).toEqual([34, 6, 10, 1, 107, 18, 1, 118]);
  for (const value of [{ text: 1 }, { list: 1 }, { list: ["x"] }, { kind: "C" }]) {
    expect(() => encode(schema, value)).toThrow(TypeError);
  }
});

describe("reflection", () => {
  /** The answers to requests of `ServerReflectionInfo`, from the field that says which of its requests it answers. */
  async function ask(client: GrpcPeer, version: string, ...requests: readonly Buffer[]): Promise<Buffer[]> {
    const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
    const asItIs = (value: Buffer) => value;
    const call = client.stub.makeBidiStreamRequest<Buffer, Buffer>(path, asItIs, asItIs);
    const answers: Buffer[] = [];
    call.on("data", (answer: Buffer) => answers.push(answer));
    for (const request of requests) call.write(request);
    call.end();
    await once(call, "end");
    return answers.map((answer, index) => answer.subarray(2 + (requests[index]?.length ?? 0)));
  }

  test.each(["v1", "v1alpha"])("lists the services, and says what is not there: %s", async (version) => {
    const client = await GrpcPeer.start(await TestCatalog.started(sum));
    const [services, unknown] = await ask(client, version, field(7, ""), field(4, "inference.Nothing"));
    expect(services?.toString()).toContain("inference.GRPCInferenceService");
    expect(services?.toString()).toContain("grpc.health.v1.Health");
    expect(unknown?.toString()).toContain("nothing here declares 'inference.Nothing'");
  });

  test("describes the service so that a client can be made of it", async () => {
    const client = await GrpcPeer.start(await TestCatalog.started(sum));
    const [answer] = await ask(client, "v1", field(4, "inference.ModelInferRequest"));
    // FileDescriptorResponse in field 4, in it a file in field 1: the same number as in a set of files.
    const set = answer?.subarray(lengthOf(answer)) ?? Buffer.alloc(0);
    const definition = loadFileDescriptorSetFromBuffer(set, { keepCase: true, longs: String, defaults: true });
    const { inference } = loadPackageDefinition(definition) as unknown as {
      inference: { GRPCInferenceService: new (target: string, channel: ChannelCredentials) => Client };
    };
    const stub = new inference.GRPCInferenceService(`127.0.0.1:${client.port}`, credentials.createInsecure());
    onTestFinished(() => stub.close());
    const { ModelInfer } = stub as unknown as {
      ModelInfer: (message: object, done: (...result: unknown[]) => void) => void;
    };
    const response = await new Promise((resolve, reject) => {
      ModelInfer.call(stub, { ...one1, id: "1" }, (error, value) => (error === null ? resolve(value) : reject(error)));
    });
    expect(response).toMatchObject({ id: "1", outputs: [{ name: "y", contents: { fp32_contents: [3] } }] });
  });
});

/** Bytes of a field's tag and length. */
function lengthOf(bytes: Buffer): number {
  return bytes.findIndex((byte, index) => index > 0 && byte < 0x80) + 1;
}

function field(number: number, text: string): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, Buffer.byteLength(text)]), Buffer.from(text)]);
}

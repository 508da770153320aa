import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import { Cancellation } from "../src/execution/cancellation.ts";
import { delimitedField } from "../src/grpc/infer/response.ts";
import type { Answering } from "../src/http/exchange.ts";
import type { InferOptions, Model, Signature } from "../src/models/model.ts";
import { BytesElements } from "../src/protocol/bytes-elements.ts";
import { RestHandler } from "../src/rest/handler.ts";
import { readInferRequest } from "../src/rest/infer-request.ts";
import type { Catalog, Service } from "../src/service.ts";
import { NO_TELEMETRY } from "../src/telemetry/telemetry.ts";
import { GrpcPeer, type Message } from "./grpc-peer.ts";
import { exchange, http2 } from "./http2-client.ts";
import { identityModel } from "./onnx-file.ts";
import { requestLimits } from "./request-limits.ts";
import { ServerProcess } from "./server-process.ts";
import { LogRecord, TestCatalog } from "./test-catalog.ts";

const MIB = 1024 * 1024;
const MEMORY = 1024 * MIB;
const x = { name: "x", type: "BYTES", shape: ["n"] } as const;
const z = { ...x, name: "z" };
const limit = (count: number, most: number) =>
  `the request's BYTES inputs hold ${count} elements, more than ${most}, the limit of this server ` +
  "(--max-bytes-elements): send them in several requests";

describe("one request", () => {
  const signature: Signature = {
    inputs: ["x", "z"].map((name) => ({ name, datatype: "BYTES", shape: [-1] })),
    outputs: [],
  };
  const input = (name: string, count: number, data: object) => ({ name, datatype: "BYTES", shape: [count], ...data });
  const inputs = (data: object) => [input("x", 2, data), input("z", 2, data)];
  const json = { inputs: inputs({ data: ["", ""] }) };
  const late = { inputs: [{ data: ["", ""], ...input("x", 2, {}) }, input("z", 2, { data: ["", ""] })] };
  const binary = { inputs: inputs({ parameters: { binary_data_size: 8 } }) };

  test.each([
    ["data", json, undefined],
    ["data before its shape", late, undefined],
    ["binary data", binary, Buffer.alloc(16)],
  ])("may hold so many elements in all its inputs together (%s)", (_, request, data = Buffer.alloc(0)) => {
    const text = Buffer.from(JSON.stringify(request));
    const jsonLength = data.length === 0 ? undefined : text.length;
    const read = (most: number) => {
      const limits = requestLimits(new BytesElements(most, MEMORY));
      return readInferRequest(Buffer.concat([text, data]), jsonLength, signature, limits);
    };
    expect(read(4).inputs.map(({ data }) => data.length)).toEqual([2, 2]);
    expect(() => read(3)).toThrow(expect.objectContaining({ status: 413, message: limit(4, 3) }));
  });

  test("is refused by what its shape says, before a string is made", () => {
    const claims = [input("x", 9, { data: [1, 2] }), input("x", 9, { parameters: { binary_data_size: 1 } })];
    for (const claim of claims) {
      const body = Buffer.from(JSON.stringify({ inputs: [claim] }));
      const read = () => readInferRequest(body, body.length, signature, requestLimits(new BytesElements(8, MEMORY)));
      expect(read).toThrow(limit(9, 8));
    }
  });

  test("is refused over gRPC alike, raw and typed", async () => {
    const { catalog } = await TestCatalog.started({ "m/1/model.onnx": identityModel([x, z]) });
    const client = await GrpcPeer.start({ catalog, bytesElements: new BytesElements(4, MEMORY) });
    const ask = (count: number, contents: Message, more: Message = {}) =>
      client.refusal("ModelInfer", {
        model_name: "m",
        inputs: ["x", "z"].map((name) => ({ name, datatype: "BYTES", shape: [count], ...contents })),
        ...more,
      });
    const typed = (count: number) => ({ contents: { bytes_contents: Array(count).fill(Buffer.alloc(0)) } });
    const raw = (count: number) => ({ raw_input_contents: [Buffer.alloc(4 * count), Buffer.alloc(4 * count)] });
    expect([await ask(2, typed(2)), await ask(2, {}, raw(2))]).toEqual(["OK", "OK"]);
    const refused = `RESOURCE_EXHAUSTED: ${limit(6, 4)}`;
    expect([await ask(3, typed(3)), await ask(3, {}, raw(3))]).toEqual([refused, refused]);
    expect(await ask(2, typed(4))).toContain("'bytes_contents' holds more than 2 elements, but shape [2] needs 2");
  });
});

test("requests together hold an eighth of the memory at 200 bytes an element, a million at most, and give it back", () => {
  const elements = new BytesElements(400, 1_600_000);
  const [one, other, third] = [elements.request(), elements.request(), elements.request()];
  one.take(400);
  other.take(400);
  other.take(0);
  const told = /^the server holds as many BYTES elements as its memory allows: try again$/;
  third.take(200);
  expect(() => elements.request().take(1)).toThrow(
    expect.objectContaining({ status: 503, message: expect.stringMatching(told) }),
  );
  one.release();
  one.release();
  elements.request().take(400);
  expect(() => other.take(400)).toThrow(expect.objectContaining({ status: 413 }));
  const large = new BytesElements(1_000_000, 1024 * MEMORY);
  large.request().take(1_000_000);
  expect(() => large.request().take(1)).toThrow(told);
  // One alone always may: its limit is another.
  new BytesElements(5_000, 1).request().take(5_000);
});

test.each(["REST", "gRPC"])(
  "what a request holds is held until it is answered, whatever the answer (%s)",
  async (protocol) => {
    const { catalog } = await TestCatalog.started({ "m/1/model.onnx": identityModel([x]) });
    const real = catalog.get("m");
    const waiting = Promise.withResolvers<void>();
    let fault: Error | undefined;
    const model: Partial<Model> = {
      ...{ name: "m", version: "1", inputs: real.inputs, outputs: real.outputs },
      infer: async (inputs, options: InferOptions) => {
        await waiting.promise;
        if (fault !== undefined) throw fault;
        return real.infer(inputs, options);
      },
    };
    // One request fits, two do not.
    const bytesElements = new BytesElements(3, 1);
    const service = { catalog: { get: () => model } as unknown as Catalog, bytesElements };
    const ask = protocol === "REST" ? restOf(service) : await grpcOf(service);
    const first = ask(["a", "b"]);
    await expect.poll(() => ask(["a", "b"])).toMatch(/^(503|UNAVAILABLE): the server holds as many BYTES elements as/);
    waiting.resolve();
    expect(await first).toBe("OK");
    for (const refused of [
      ["\0", "b"],
      ["a", "b"],
      ["a", "b"],
    ])
      await ask(refused);
    fault = new Error("broken");
    for (let round = 0; round < 3; round++) expect(await ask(["a", "b"])).toMatch(/^(500|INTERNAL): internal error/);
  },
);

type Ask = (texts: readonly string[]) => Promise<string>;

function restOf(given: Partial<Service>): Ask {
  const settings = { version: "1", modelControl: false, maxBodyBytes: MIB, maxJsonBytes: MIB, maxTensors: 9 };
  const service: Service = {
    ...settings,
    ...{ requestTimeoutMs: 60_000, isReady: () => true, isAuthorized: () => true },
    ...{ telemetry: NO_TELEMETRY, log: new LogRecord() },
    ...(given as Pick<Service, "catalog" | "bytesElements">),
  };
  const handler = new RestHandler(service, undefined);
  const head = { method: "POST", target: "/v2/models/m/infer", header: () => undefined };
  return async (data) => {
    const input = { name: "x", datatype: "BYTES", shape: [data.length], data };
    const body = Buffer.from(JSON.stringify({ inputs: [input] }));
    const { status, reason } = await (handler.admit(head) as Answering)({
      head,
      body,
      cancellation: new Cancellation(),
    });
    return status === 200 ? "OK" : `${status}: ${reason}`;
  };
}

async function grpcOf(service: Partial<Service>): Promise<Ask> {
  const client = await GrpcPeer.start(service);
  return (texts) => {
    const contents = { bytes_contents: texts.map((text) => Buffer.from(text)) };
    const inputs = [{ name: "x", datatype: "BYTES", shape: [texts.length], contents }];
    return client.refusal("ModelInfer", { model_name: "m", inputs });
  };
}

/** As many as the largest JSON holds, and a hundred times what a request may. */
const HOSTILE = 4_000_000;

test("millions of empty elements are refused on every way, in bounded memory, while health is answered", async () => {
  const model = identityModel([x]);
  const server = await ServerProcess.serving({ "m/1/model.onnx": model }, ["--grpc-port", "0", "--log-level", "info"]);
  onTestFinished(() => server.kill());
  const post = async (body: Buffer, headers: Readonly<Record<string, string>>) => {
    const response = await fetch(`${server.url}/v2/models/m/infer`, {
      method: "POST",
      body: Buffer.from(body),
      headers,
    });
    const text = await response.text();
    return response.status === 200 ? "OK" : `${response.status}: ${(JSON.parse(text) as { error: string }).error}`;
  };
  const binary = (count: number, compress = false) => {
    const parameters = { binary_data_size: 4 * count };
    const inputs = [{ name: "x", datatype: "BYTES", shape: [count], parameters }];
    const head = Buffer.from(JSON.stringify({ inputs, parameters: { binary_data_output: true } }));
    const body = Buffer.concat([head, Buffer.alloc(4 * count)]);
    const length = { "inference-header-content-length": String(head.length) };
    return compress ? post(gzipSync(body), { ...length, "content-encoding": "gzip" }) : post(body, length);
  };
  const json = (count: number) => {
    const data = `[${'"",'.repeat(count - 1)}""]`;
    const body = Buffer.from(`{"inputs":[{"name":"x","datatype":"BYTES","shape":[${count}],"data":${data}}]}`);
    return post(gzipSync(body), { "content-encoding": "gzip" });
  };
  const grpcPort = server.log.find(({ message }) => message === "listening")?.grpcPort as number;
  const session = await http2(grpcPort);
  const grpc = async (count: number, isRaw: boolean) => {
    const shape = delimitedField(3, varint(count));
    const contents = isRaw ? [] : [delimitedField(5, Buffer.alloc(2 * count, Buffer.of(0x42, 0)))];
    const parts = [delimitedField(1, Buffer.from("x")), delimitedField(2, Buffer.from("BYTES")), shape, ...contents];
    const message = [delimitedField(1, Buffer.from("m")), delimitedField(5, Buffer.concat(parts))];
    if (isRaw) message.push(delimitedField(7, Buffer.alloc(4 * count)));
    const { status, message: told } = await exchange(session, Buffer.concat(message), {});
    return status === "0" ? "OK" : `${status}: ${told}`;
  };
  // As many as a request may, on each way, more often than all may together: what was held is given back.
  const most = 100_000;
  for (let round = 0; round < 3; round++) {
    expect([await binary(most), await json(most), await grpc(most, true), await grpc(most, false)]).toEqual(
      Array(4).fill("OK"),
    );
  }
  const before = memoryOf(server, "VmHWM");
  const refused = limit(HOSTILE, most);
  for (let round = 0; round < 2; round++) {
    const outcomes = [
      ...[binary(HOSTILE), binary(HOSTILE, true), json(HOSTILE), grpc(HOSTILE, true), grpc(HOSTILE, false)],
    ];
    const health = await fetch(`${server.url}/v2/health/live`);
    expect(health.status).toBe(200);
    expect(await Promise.all(outcomes)).toEqual([
      ...Array(3).fill(`413: ${refused}`),
      ...Array(2).fill(`8: ${refused}`),
    ]);
  }
  expect(await json(1)).toBe("OK");
  // Their bodies, and not the 800 MB that the elements of one would take.
  expect((memoryOf(server, "VmHWM") - before) / MIB).toBeLessThan(400);
  expect(server.child.exitCode).toBeNull();
}, 60_000);

/** proc_pid_status(5). */
function memoryOf({ child }: ServerProcess, field: "VmHWM" | "VmRSS"): number {
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s*(\\d+) kB`).exec(status)?.[1]) * 1024;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

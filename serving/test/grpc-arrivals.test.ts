import type { ServerInterceptor } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { Arrivals } from "../src/grpc/arrivals.ts";
import { BodyBudget } from "../src/http/limits.ts";
import { GrpcPeer } from "./grpc-peer.ts";
import { exchange, http2 } from "./http2-client.ts";
import { additionModel } from "./onnx-file.ts";
import { TestCatalog } from "./test-catalog.ts";

const request = {
  model_name: "sum",
  inputs: [{ name: "x", datatype: "FP32", shape: [1], contents: { fp32_contents: [0] } }],
};
const sum = { "sum/1/model.onnx": additionModel([1]) };

describe.each(["ModelInfer", "ModelStreamInfer"])("messages that do not arrive whole (%s)", (method) => {
  test("are given up after a while, and their memory back", async () => {
    const { catalog } = await TestCatalog.started(sum);
    const client = await GrpcPeer.start({ catalog }, { arrivalMs: 200, maxHeldBytes: 100_000 });
    const session = await http2(client.port);
    const most = () => exchange(session, Buffer.alloc(90_000), {}, { method, announced: 100_000, ends: false });
    expect(await most()).toEqual({ status: "4", message: "the request took too long to arrive" });
    expect(await most()).toMatchObject({ status: "4" });
    expect(await client.refusal("ModelInfer", request)).toBe("OK");
  });

  test("are refused once they take the memory that there is", async () => {
    const { catalog } = await TestCatalog.started(sum);
    const client = await GrpcPeer.start({ catalog }, { maxHeldBytes: 100_000 });
    const session = await http2(client.port);
    const most = () => exchange(session, Buffer.alloc(90_000), {}, { method, announced: 100_000, ends: false });
    const outcomes = [most(), most()];
    expect(await Promise.race(outcomes)).toMatchObject({
      status: "14",
      message: expect.stringContaining("as its memory allows"),
    });
    expect(await client.refusal("ModelInfer", request)).toBe("OK");
    session.destroy();
    await Promise.all(outcomes);
  });

  test("take nothing by what they announce alone", async () => {
    const { catalog } = await TestCatalog.started(sum);
    const client = await GrpcPeer.start({ catalog }, { maxHeldBytes: 100_000, arrivalMs: 1_000 });
    const session = await http2(client.port);
    const announced = () => exchange(session, Buffer.alloc(10), {}, { method, announced: 100_000, ends: false });
    const outcomes = [announced(), announced(), announced()];
    const large = { ...request, unknown: "x".repeat(90_000) };
    expect(await client.refusal("ModelInfer", large)).toBe("OK");
    expect((await Promise.all(outcomes)).map(({ status }) => status)).toEqual(["4", "4", "4"]);
  });

  test("are refused while they arrive when whoever sends them may not", async () => {
    const { catalog } = await TestCatalog.started(sum);
    const client = await GrpcPeer.start({ catalog, isAuthorized: (header) => header === "Bearer good" });
    const session = await http2(client.port);
    const send = (headers: Readonly<Record<string, string>>) =>
      exchange(session, Buffer.alloc(90_000), headers, { method, announced: 100_000, ends: false });
    expect(await send({})).toMatchObject({ status: "16" });
    const good = send({ authorization: "Bearer good" });
    expect(await Promise.race([good, new Promise((resolve) => setTimeout(resolve, 500, "arriving"))])).toBe("arriving");
    session.destroy();
    await good;
  });
});

test("compressed messages are decompressed one at a time, also after one that fails", async () => {
  let atOnce = 0;
  let most = 0;
  const calls = Array.from({ length: 4 }, (_, index) => ({
    incomingEncoding: "gzip",
    receivedHalfClose: true,
    decompressMessage: async (message: Buffer, _encoding: string): Promise<Buffer> => {
      most = Math.max(most, ++atOnce);
      await new Promise((resolve) => setTimeout(resolve, 5));
      atOnce--;
      if (index === 1) throw new Error("broken");
      return message;
    },
  }));
  const arrivals = new Arrivals(1_000, new BodyBudget(1), () => true);
  const unary = { requestStream: false } as Parameters<ServerInterceptor>[0];
  for (const call of calls) arrivals.interceptor(unary, call as unknown as Parameters<ServerInterceptor>[1]);
  const outcomes = await Promise.allSettled(
    calls.map((call, index) => call.decompressMessage(Buffer.of(index), "gzip")),
  );
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
  expect(most).toBe(1);
  arrivals.close();
});

import { once } from "node:events";
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { expect, test } from "vitest";
import { prefixed } from "./fuzz/grpc-frames.ts";
import { GrpcPeer } from "./grpc-peer.ts";
import { exchange, http2 } from "./http2-client.ts";
import { identityModel } from "./onnx-file.ts";
import { TestCatalog } from "./test-catalog.ts";

/** More than a client's window takes. */
const ELEMENTS = 20_000;
const large = {
  model_name: "same",
  inputs: [{ name: "x", datatype: "FP32", shape: [ELEMENTS] }],
  raw_input_contents: [Buffer.alloc(ELEMENTS * 4)],
};

async function peer(options: { readonly unreadMs?: number; readonly maxHeldBytes: number }): Promise<GrpcPeer> {
  const model = identityModel([{ name: "x", type: "FP32", shape: [ELEMENTS] }]);
  const { catalog } = await TestCatalog.started({ "same/1/model.onnx": model });
  return GrpcPeer.start({ catalog }, options);
}

/** Asks for a large answer and reads nothing of it. */
async function leaveUnread(session: ClientHttp2Session, message: Buffer): Promise<ClientHttp2Stream> {
  const path = "/inference.GRPCInferenceService/ModelInfer";
  const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc" });
  stream.on("error", () => undefined);
  stream.end(prefixed(message));
  await once(stream, "response");
  return stream;
}

test("answers that are not read count as held until they are", async () => {
  const client = await peer({ maxHeldBytes: 180_000 });
  const message = client.encode("ModelInfer", large);
  const session = await http2(client.port);
  const unread = [await leaveUnread(session, message), await leaveUnread(session, message)];
  expect(await client.refusal("ModelInfer", large)).toContain("as its memory allows");
  for (const stream of unread) {
    const ended = once(stream, "end");
    stream.resume();
    await ended;
  }
  expect(await client.refusal("ModelInfer", large)).toBe("OK");
});

test("an answer that is not read for long is given up, its memory given back, and its connection goes on", async () => {
  const client = await peer({ maxHeldBytes: 100_000, unreadMs: 200 });
  const message = client.encode("ModelInfer", large);
  const session = await http2(client.port);
  const unread = await leaveUnread(session, message);
  expect(await client.refusal("ModelInfer", large)).toContain("as its memory allows");
  await expect.poll(() => client.refusal("ModelInfer", large), { timeout: 12_000 }).toBe("OK");
  let [bytes, trailers] = [0, 0];
  unread.on("data", (chunk: Buffer) => (bytes += chunk.length)).on("trailers", () => trailers++);
  await expect.poll(() => unread.destroyed).toBe(true);
  expect([bytes < ELEMENTS * 4, trailers]).toEqual([true, 0]);
  expect(await exchange(session, message, {})).toMatchObject({ status: "0" });
});

test("memory of answers is given back when the client is gone", async () => {
  const client = await peer({ maxHeldBytes: 180_000 });
  const message = client.encode("ModelInfer", large);
  const session = await http2(client.port);
  await Promise.all([leaveUnread(session, message), leaveUnread(session, message)]);
  session.destroy();
  await expect.poll(() => client.refusal("ModelInfer", large)).toBe("OK");
});

test("small answers that are not read count as well", async () => {
  const model = identityModel([{ name: "x", type: "FP32", shape: ["n"] }]);
  const { catalog } = await TestCatalog.started({ "same/1/model.onnx": model });
  const client = await GrpcPeer.start({ catalog }, { maxHeldBytes: 20_000 });
  const inputs = [{ name: "x", datatype: "FP32", shape: [1_000] }];
  const small = { model_name: "same", inputs, raw_input_contents: [Buffer.alloc(4_000)] };
  const session = await http2(client.port, { initialWindowSize: 0 });
  for (let count = 0; count < 4; count++) await leaveUnread(session, client.encode("ModelInfer", small));
  expect(await client.refusal("ModelInfer", small)).toContain("as its memory allows");
  session.destroy();
  await expect.poll(() => client.refusal("ModelInfer", small)).toBe("OK");
});

test("an answer counts for as long as it lies there, also when its call has failed since", async () => {
  const client = await peer({ maxHeldBytes: 100_000 });
  const session = await http2(client.port);
  const message = client.encode("ModelInfer", large);
  const path = "/inference.GRPCInferenceService/ModelStreamInfer";
  const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc" });
  stream.on("error", () => undefined);
  stream.write(prefixed(message));
  await once(stream, "response");
  // Two messages that are too large, each of which ends the call.
  for (let count = 0; count < 2; count++) {
    stream.write(Buffer.from([0, 0x7f, 0, 0, 0, 1]));
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  expect(await client.refusal("ModelInfer", large)).toContain("as its memory allows");
  session.destroy();
  await expect.poll(() => client.refusal("ModelInfer", large)).toBe("OK");
});

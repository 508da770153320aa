import { once } from "node:events";
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { expect, test } from "vitest";
import { GrpcPeer } from "./grpc-peer.ts";
import { exchange, http2 } from "./http2-client.ts";
import { identityModel } from "./onnx-file.ts";
import { TestCatalog } from "./test-catalog.ts";

const ELEMENTS = 100_000;
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
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([prefix, message]));
  await once(stream, "response");
  return stream;
}

test("answers that are not read count as held until they are", async () => {
  const client = await peer({ maxHeldBytes: 900_000 });
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
  const client = await peer({ maxHeldBytes: 500_000, unreadMs: 200 });
  const message = client.encode("ModelInfer", large);
  const session = await http2(client.port);
  const unread = await leaveUnread(session, message);
  expect(await client.refusal("ModelInfer", large)).toContain("as its memory allows");
  await expect.poll(() => client.refusal("ModelInfer", large), { timeout: 5_000 }).toBe("OK");
  let [bytes, trailers] = [0, 0];
  unread.on("data", (chunk: Buffer) => (bytes += chunk.length)).on("trailers", () => trailers++);
  await expect.poll(() => unread.destroyed).toBe(true);
  expect([bytes < ELEMENTS * 4, trailers]).toEqual([true, 0]);
  expect(await exchange(session, message, {})).toMatchObject({ status: "0" });
});

test("memory of answers is given back when the client is gone", async () => {
  const client = await peer({ maxHeldBytes: 900_000 });
  const message = client.encode("ModelInfer", large);
  const session = await http2(client.port);
  await Promise.all([leaveUnread(session, message), leaveUnread(session, message)]);
  session.destroy();
  await expect.poll(() => client.refusal("ModelInfer", large)).toBe("OK");
});

import { once } from "node:events";
import { type ClientHttp2Session, connect, constants } from "node:http2";
import { gzipSync } from "node:zlib";
import { onTestFinished } from "vitest";
import type { Dice } from "./dice.ts";
import { soon } from "./fuzz-client.ts";
import { BOMB_BYTES } from "./server-health.ts";

/** A call below gRPC: what lies around its message is wrong. */
export interface FrameCase {
  readonly label: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: Buffer;
  /** Names of the codes that the call may end with, or statuses of HTTP. */
  readonly codes: readonly string[];
  /** The client leaves instead of ending its side. */
  readonly leaves?: boolean;
}

const INFER = "/inference.GRPCInferenceService/ModelInfer";
const UNARY = { ":method": "POST", ":path": INFER, "content-type": "application/grpc", te: "trailers" };

/** Length-prefixed message of gRPC's protocol over HTTP/2. */
export function prefixed(message: Buffer, flag = 0, length = message.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

let bomb: Buffer | undefined;

function gzipBomb(): Buffer {
  const mebibyte = 1024 * 1024;
  bomb ??= Buffer.concat(Array(BOMB_BYTES / mebibyte).fill(gzipSync(Buffer.alloc(mebibyte))));
  return bomb;
}

type MakeFrames = (dice: Dice, message: Buffer) => FrameCase;

/** Where the library answers in gRPC's own terms: a message that its encoding cannot be undone of is INTERNAL there. */
export const FRAMES: readonly MakeFrames[] = [
  (_, message) => ({ label: "as it should be", headers: UNARY, data: prefixed(message), codes: ["OK"] }),
  (_, message) => {
    const headers = { ...UNARY, "grpc-encoding": "gzip" };
    return { label: "gzip", headers, data: prefixed(gzipSync(message), 1), codes: ["OK"] };
  },
  () => {
    const headers = { ...UNARY, "grpc-encoding": "gzip" };
    return { label: "a gzip bomb", headers, data: prefixed(gzipBomb(), 1), codes: ["RESOURCE_EXHAUSTED"] };
  },
  (dice, message) => {
    const data = prefixed(gzipSync(message).subarray(dice.between(1, 9)), 1);
    return { label: "corrupt gzip", headers: { ...UNARY, "grpc-encoding": "gzip" }, data, codes: ["INTERNAL"] };
  },
  (_, message) => {
    const headers = { ...UNARY, "grpc-encoding": "br" };
    return { label: "an unknown encoding", headers, data: prefixed(message, 1), codes: ["UNIMPLEMENTED"] };
  },
  (dice, message) => {
    const data = prefixed(message, 0, message.length + dice.pick([1, 100, 50_000]));
    return { label: "a message cut short", headers: UNARY, data, codes: ENDED_EARLY, leaves: dice.oneIn(2) };
  },
  (dice, message) => {
    const data = prefixed(message, 0, dice.pick([2 ** 21, 2 ** 31, 2 ** 32 - 1]));
    return { label: "a message that claims too much", headers: UNARY, data, codes: ["RESOURCE_EXHAUSTED"] };
  },
  (_, message) => {
    const data = prefixed(message).subarray(0, 3);
    return { label: "a prefix cut short", headers: UNARY, data, codes: ENDED_EARLY };
  },
  () => ({ label: "no message", headers: UNARY, data: Buffer.alloc(0), codes: ENDED_EARLY }),
  (_, message) => {
    const data = Buffer.concat([prefixed(message), prefixed(message)]);
    return { label: "two messages", headers: UNARY, data, codes: ["OK", ...ENDED_EARLY] };
  },
  (dice, message) => {
    const headers = {
      ...UNARY,
      ":path": dice.pick(["/", "/x", `${INFER}x`, "/inference.GRPCInferenceService/", "/%00"]),
    };
    return { label: "an unknown method", headers, data: prefixed(message), codes: ["UNIMPLEMENTED"] };
  },
  (dice, message) => {
    const headers = { ...UNARY, "content-type": dice.pick(["application/json", "text/plain", "grpc"]) };
    return { label: "another content type", headers, data: prefixed(message), codes: ["HTTP 415"] };
  },
  (dice, message) => {
    const headers = {
      ...UNARY,
      "x-odd": dice.pick(["%", "\xe9", "a".repeat(8_000)]),
      "x-odd-bin": dice.pick(["%%", "AA=", ""]),
    };
    return { label: "odd metadata", headers, data: prefixed(message), codes: ["OK"] };
  },
];

/** The library's words for a unary call that ends without its message. */
const ENDED_EARLY = ["INTERNAL", "UNIMPLEMENTED", "INVALID_ARGUMENT", "CANCELLED"];

export async function http2Session(port: number): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`);
  onTestFinished(() => session.destroy());
  session.on("error", () => undefined);
  await once(session, "connect");
  return session;
}

export interface CallEnd {
  /** Of gRPC, as a number; undefined when none came. */
  readonly code: number | undefined;
  readonly message: string;
  readonly httpStatus: number | undefined;
}

/** Makes the call; undefined when the client left. */
export async function call(session: ClientHttp2Session, given: FrameCase): Promise<CallEnd | undefined> {
  const stream = session.request(given.headers);
  stream.on("error", () => undefined);
  let end: CallEnd = { code: undefined, message: "", httpStatus: undefined };
  const answer = (found: Readonly<Record<string, unknown>>) => {
    const httpStatus = found[":status"] === undefined ? end.httpStatus : Number(found[":status"]);
    const code = found["grpc-status"] === undefined ? end.code : Number(found["grpc-status"]);
    end = { code, message: decodeURIComponent(String(found["grpc-message"] ?? end.message)), httpStatus };
  };
  stream.on("response", answer).on("trailers", answer);
  stream.resume();
  const closed = new Promise<void>((resolve) => stream.once("close", () => resolve()));
  stream.write(given.data);
  if (given.leaves === true) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    stream.close(constants.NGHTTP2_CANCEL);
    return undefined;
  }
  stream.end();
  await soon("the end of a call", closed);
  return end;
}

import { once } from "node:events";
import { type ClientHttp2Session, connect, type Settings } from "node:http2";
import { onTestFinished } from "vitest";

/** A connection below gRPC. */
export async function http2(port: number, settings: Settings = {}): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`, { settings });
  onTestFinished(() => session.destroy());
  session.on("error", () => undefined);
  await once(session, "connect");
  return session;
}

interface Sending {
  readonly method?: string;
  /** Bytes that the message is said to have. */
  readonly announced?: number;
  readonly ends?: boolean;
}

/** Sends a message that need not be whole; what the trailers say. */
export function exchange(
  session: ClientHttp2Session,
  bytes: Buffer,
  headers: Readonly<Record<string, string>>,
  { method = "ModelInfer", announced = bytes.length, ends = true }: Sending = {},
): Promise<{ readonly status: string | undefined; readonly message?: string }> {
  const path = `/inference.GRPCInferenceService/${method}`;
  const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc", ...headers });
  const prefix = Buffer.alloc(5);
  prefix[0] = "grpc-encoding" in headers ? 1 : 0;
  prefix.writeUInt32BE(announced, 1);
  stream.write(Buffer.concat([prefix, bytes]));
  if (ends) stream.end();
  return new Promise((resolve) => {
    const answer = (found: Record<string, unknown>) => {
      if (found["grpc-status"] === undefined) return;
      resolve({ status: String(found["grpc-status"]), message: decodeURI(String(found["grpc-message"] ?? "")) });
    };
    stream.on("response", answer).on("trailers", answer);
    stream.on("close", () => resolve({ status: undefined })).on("error", () => undefined);
    stream.resume();
  });
}

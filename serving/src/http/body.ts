import type { IncomingMessage, ServerResponse } from "node:http";
import { ProtocolError } from "../protocol/error.ts";

/** The client went away before its request was whole: nobody is there to be answered. */
export class ClientGone extends Error {
  override readonly name = "ClientGone";
}

/**
 * Reads the body of a request, never holding more than `maxBytes` of it.
 *
 * @throws ProtocolError 413 when it is larger, 415 when it is compressed
 * @throws ClientGone when the connection ended early
 */
export async function readBody(request: IncomingMessage, response: ServerResponse, maxBytes: number): Promise<Buffer> {
  const encoding = request.headers["content-encoding"];
  if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
    throw new ProtocolError(415, "a compressed request body is not supported: send it without Content-Encoding");
  }
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  if (request.headers.expect !== undefined) response.writeContinue();
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve, reject) => {
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) reject(tooLarge(maxBytes));
      else chunks.push(chunk);
    });
    request.on("end", () =>
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
    );
    request.on("error", () => reject(new ClientGone()));
    request.on("close", () => reject(new ClientGone()));
  });
}

function tooLarge(maxBytes: number): ProtocolError {
  return new ProtocolError(413, `the request body is larger than ${maxBytes} bytes, the limit of this server`);
}

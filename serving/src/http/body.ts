import type { IncomingMessage, ServerResponse } from "node:http";
import { createGunzip, createInflate } from "node:zlib";
import { ProtocolError } from "../protocol/error.ts";
import { type BudgetShare, OUT_OF_MEMORY } from "./limits.ts";
import { freeChunks } from "./young-generation.ts";

/** The client went away before its request was whole: nobody is there to be answered. */
export class ClientGone extends Error {
  override readonly name = "ClientGone";
}

/**
 * Reads the body of a request and decompresses it, never holding more than `maxBytes` of it.
 *
 * @param share takes what is held of it
 * @throws ProtocolError 413 when it is larger, 503 when the budget is spent, 415 when it is compressed in a way that is not supported, 400 when it is not
 *   what its Content-Encoding says
 * @throws ClientGone when the connection ended early
 */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
  share: BudgetShare,
): Promise<Buffer> {
  const decoder = decoderOf(request.headers["content-encoding"]);
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  // Not known to HTTP/1.0: RFC 9110, section 10.1.1.
  if (request.headers.expect !== undefined && request.httpVersion === "1.1") response.writeContinue();
  const chunks: Buffer[] = [];
  let size = 0;
  let received = 0;
  // What a refused client still sends is read and thrown away: none of it may be held, or counted.
  let isOver = false;
  return new Promise((resolve, reject) => {
    const stop = (refusal: ProtocolError) => {
      isOver = true;
      request.unpipe();
      decoder?.destroy();
      chunks.length = 0;
      reject(refusal);
    };
    const take = (chunk: Buffer) => {
      if (isOver) return;
      size += chunk.length;
      if (size > maxBytes) stop(tooLarge(maxBytes));
      else if (!share.take(chunk.length)) stop(new ProtocolError(503, OUT_OF_MEMORY, { "retry-after": "1" }));
      else chunks.push(chunk);
    };
    // Memory of its own, also for one chunk: its tensors may be moved to another thread, with all that lies beside them.
    const end = () => {
      freeChunks(received + size);
      resolve(Buffer.concat(chunks));
    };
    request.on("error", () => reject(new ClientGone()));
    request.on("close", () => {
      if (!request.complete) reject(new ClientGone());
    });
    if (decoder === undefined) {
      request.on("data", take);
      request.on("end", end);
      return;
    }
    request.on("data", (chunk: Buffer) => {
      received += chunk.length;
      if (!isOver && received > maxBytes) stop(tooLarge(maxBytes));
    });
    decoder.on("data", take);
    decoder.on("end", end);
    decoder.on("error", () => {
      reject(new ProtocolError(400, `the request body is not valid ${request.headers["content-encoding"]} data`));
    });
    request.pipe(decoder);
  });
}

function decoderOf(encoding: string | undefined) {
  switch (encoding?.toLowerCase()) {
    case undefined:
    case "identity":
      return undefined;
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    default:
      throw new ProtocolError(415, "Content-Encoding of the request must be gzip, deflate or identity", {
        "accept-encoding": "gzip, deflate",
      });
  }
}

function tooLarge(maxBytes: number): ProtocolError {
  return new ProtocolError(413, `the request body is larger than ${maxBytes} bytes, the limit of this server`);
}

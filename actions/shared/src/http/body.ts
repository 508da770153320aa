/** A body was longer than it may be. */
export class BodyTooLong extends Error {
  override readonly name = "BodyTooLong";
}

/**
 * Reads a body that must not be longer than `limit` bytes. A server that sends without end is left there.
 *
 * @throws BodyTooLong
 */
export async function readBody(response: Response, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > limit) throw new BodyTooLong(`the body is longer than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** BYTES tensors in binary: each element its length as a little-endian unsigned 32-bit number, then its bytes. */
import { isUtf8 } from "node:buffer";
import { badRequest } from "./error.ts";

/**
 * Reads a BYTES tensor. The runtime carries text: bytes that are no UTF-8, or hold a NUL, are refused.
 *
 * @param count elements that its shape needs
 * @throws ProtocolError (400)
 */
export function parseBytes(input: string, bytes: Buffer, count: number): string[] {
  const elements: string[] = [];
  let at = 0;
  while (at < bytes.length && elements.length < count) {
    if (bytes.length - at < 4) throw badRequest(`input '${input}': its binary data ends within an element's length`);
    const length = bytes.readUInt32LE(at);
    at += 4;
    if (length > bytes.length - at) {
      throw badRequest(
        `input '${input}': element ${elements.length} claims ${length} bytes, but ${bytes.length - at} follow`,
      );
    }
    elements.push(textOf(input, elements.length, bytes.subarray(at, at + length)));
    at += length;
  }
  if (elements.length < count || at < bytes.length) {
    const found = at < bytes.length ? `more than ${count}` : String(elements.length);
    throw badRequest(`input '${input}': its binary data holds ${found} elements, but its shape needs ${count}`);
  }
  return elements;
}

/**
 * One element as the text that the runtime carries.
 *
 * @throws ProtocolError (400) when it is not UTF-8 or holds a NUL
 */
export function textOf(input: string, index: number, bytes: Buffer): string {
  if (!isUtf8(bytes)) throw badRequest(`input '${input}': element ${index} is not UTF-8, which ONNX strings are`);
  // The runtime's binding ends a string at its first NUL, without a word.
  if (bytes.includes(0)) {
    throw badRequest(`input '${input}': element ${index} holds a NUL character, which is not supported`);
  }
  return bytes.toString("utf8");
}

/** Writes a BYTES tensor. */
export function formatBytes(elements: readonly string[]): Buffer {
  const lengths = elements.map((text) => Buffer.byteLength(text));
  const bytes = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + 4 + length, 0));
  let at = 0;
  for (const [index, text] of elements.entries()) {
    at = bytes.writeUInt32LE(lengths[index] as number, at);
    at += bytes.write(text, at);
  }
  return bytes;
}

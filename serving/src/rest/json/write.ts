import { bytesOf, type FixedDatatype, type NumericData, type Tensor } from "../../tensor/tensor.ts";
import { halvesOf } from "./convert.ts";
import { singlesText } from "./singles.ts";

/** Text as a JSON string of ASCII characters only, so that its length in bytes is its length. */
export function quoteAscii(text: string): string {
  const quoted = JSON.stringify(text);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: every character beyond ASCII is meant.
  return /^[\x00-\x7f]*$/.test(quoted)
    ? quoted
    : quoted.replace(/[\u0080-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Elements whose text is made at once: large tensors must not become strings of their length, which fill the heap. */
const PIECE = 8 * 1024;

/** What is written as JSON is larger than the server allows. */
export class JsonTooLarge extends Error {
  override readonly name = "JsonTooLarge";
}

/**
 * The elements of a tensor as a JSON array in ASCII, flat in row-major order.
 *
 * @param limit bytes that it may take
 * @returns text, or bytes in pieces where it is large
 * @throws JsonTooLarge when it takes more
 */
export function writeElements({ datatype, data }: Tensor, limit: number): string | readonly Uint8Array[] {
  if (Array.isArray(data)) return writeTexts(data, limit);
  if (data.length <= PIECE) return within(`[${elementsText(datatype as FixedDatatype, data)}]`, limit);
  const pieces: Uint8Array[] = [];
  let left = limit;
  for (let start = 0; start < data.length; start += PIECE) {
    const text = elementsText(datatype as FixedDatatype, data.subarray(start, start + PIECE));
    const end = start + PIECE >= data.length ? "]" : "";
    left -= push(pieces, `${start === 0 ? "[" : ","}${text}${end}`, left);
  }
  return pieces;
}

function elementsText(datatype: FixedDatatype, data: NumericData): string {
  switch (datatype) {
    case "BOOL":
      return Array.from(bytesOf(data), (value) => value !== 0).join(",");
    case "FP32":
      return singlesText(data as Float32Array);
    case "FP64":
      return Array.from(data as Float64Array, floatText).join(",");
    case "FP16":
      return Array.from(halvesOf(data as Uint16Array), floatText).join(",");
    default:
      return data.join(",");
  }
}

/** Texts can be of any size, each of them. */
function writeTexts(texts: readonly string[], limit: number): string | readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let left = limit;
  let text = "[";
  for (const [index, element] of texts.entries()) {
    if (element.length > left) throw new JsonTooLarge();
    text += `${index === 0 ? "" : ","}${quoteAscii(element)}`;
    if (text.length < PIECE) continue;
    left -= push(pieces, text, left);
    text = "";
  }
  if (pieces.length === 0) return within(`${text}]`, left);
  push(pieces, `${text}]`, left);
  return pieces;
}

function push(pieces: Uint8Array[], text: string, limit: number): number {
  pieces.push(Buffer.from(within(text, limit), "latin1"));
  return text.length;
}

function within(text: string, limit: number): string {
  if (text.length > limit) throw new JsonTooLarge();
  return text;
}

function floatText(value: number): string {
  // JSON has no NaN and no infinities: strings, as in the JSON mapping of protocol buffers. Where JSON's whole numbers are
  // read as such, as in Python, "-0" loses its sign.
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? "-0.0" : String(value);
}

import { bytesOf, type NumericData, type Tensor } from "../../tensor/tensor.ts";
import { halvesOf } from "./convert.ts";
import { writeSingles } from "./singles.ts";

/** Text as a JSON string of ASCII characters only, so that its length in bytes is its length. */
export function quoteAscii(text: string): string {
  const quoted = JSON.stringify(text);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: every character beyond ASCII is meant.
  return /^[\x00-\x7f]*$/.test(quoted)
    ? quoted
    : quoted.replace(/[\u0080-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The elements of a tensor as a JSON array in ASCII, flat in row-major order. */
export function writeElements({ datatype, data }: Tensor): string {
  switch (datatype) {
    case "BYTES":
      return `[${(data as string[]).map(quoteAscii).join(",")}]`;
    case "BOOL":
      return `[${Array.from(bytesOf(data as NumericData), (value) => value !== 0).join(",")}]`;
    case "FP32":
      return writeSingles(data as Float32Array);
    case "FP64":
      return `[${Array.from(data as Float64Array, floatText).join(",")}]`;
    case "FP16":
      return `[${Array.from(halvesOf(data as Uint16Array), floatText).join(",")}]`;
    default:
      return `[${(data as NumericData).join(",")}]`;
  }
}

function floatText(value: number): string {
  // JSON has no NaN and no infinities: strings, as in the JSON mapping of protocol buffers. Where JSON's whole numbers are
  // read as such, as in Python, "-0" loses its sign.
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? "-0.0" : String(value);
}

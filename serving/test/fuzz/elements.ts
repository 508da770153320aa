import type { ElementType } from "../onnx-file.ts";
import type { Dice } from "./dice.ts";

/** Numbers for all but 64-bit integers (bigint), BOOL and BYTES. */
export type Element = number | bigint | boolean | string;

/** Bits of the whole numbers, with a sign or without. */
const WHOLE: Readonly<Partial<Record<ElementType, readonly [bits: number, signed: boolean]>>> = {
  UINT8: [8, false],
  UINT16: [16, false],
  UINT32: [32, false],
  UINT64: [64, false],
  INT8: [8, true],
  INT16: [16, true],
  INT32: [32, true],
  INT64: [64, true],
};

const WORDS = ["", "a", "naïve", "日本", "🙂", '\n\t\\"/', "\u007f\u0080", "\ufeff", "null", "x".repeat(300)];

/** Bytes of one element; 0 for BYTES. */
export function sizeOf(datatype: ElementType): number {
  const [bits] = WHOLE[datatype] ?? [];
  if (bits !== undefined) return bits / 8;
  return { BOOL: 1, FP16: 2, FP32: 4, FP64: 8, BYTES: 0 }[datatype as "BOOL"];
}

/** A value that the datatype holds exactly, often one at the edge of it. */
export function element(dice: Dice, datatype: ElementType): Element {
  const whole = WHOLE[datatype];
  if (whole !== undefined) return wholeNumber(dice, ...whole);
  switch (datatype) {
    case "BOOL":
      return dice.oneIn(2);
    case "BYTES":
      return dice.pick(WORDS);
    default:
      return float(dice, datatype as "FP16");
  }
}

function wholeNumber(dice: Dice, bits: number, signed: boolean): Element {
  const least = signed ? -(2n ** BigInt(bits - 1)) : 0n;
  const most = signed ? 2n ** BigInt(bits - 1) - 1n : 2n ** BigInt(bits) - 1n;
  const among = dice.bytes(8).readBigUInt64LE() % (most - least + 1n);
  const value = dice.pick([least, most, 0n, 1n, least + among, least + among]);
  return bits === 64 ? value : Number(value);
}

function float(dice: Dice, datatype: "FP16" | "FP32" | "FP64"): number {
  const edge = [0, -0, 1, -1, 0.1, 1 / 3, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-7, 65_504];
  const value = dice.oneIn(2) ? dice.pick(edge) : dice.bytes(8).readDoubleLE();
  if (datatype === "FP64") return value;
  return arrayOf(datatype, [dice.oneIn(2) ? value : dice.between(-1000, 1000) / 64])[0] as number;
}

function arrayOf(datatype: "FP16" | "FP32" | "FP64", values: readonly number[]) {
  if (datatype === "FP16") return new Float16Array(values);
  return datatype === "FP32" ? new Float32Array(values) : new Float64Array(values);
}

/** Elements as they lie in memory, or for BYTES each after its length: little-endian, NaN always the same. */
export function bytesOf(datatype: ElementType, elements: readonly Element[]): Buffer {
  if (datatype === "BYTES") {
    return Buffer.concat(
      elements.map((text) => {
        const bytes = Buffer.from(text as string);
        const length = Buffer.alloc(4);
        length.writeUInt32LE(bytes.length);
        return Buffer.concat([length, bytes]);
      }),
    );
  }
  if (datatype === "FP16" || datatype === "FP32" || datatype === "FP64") {
    // A number that is NaN may carry other bits along.
    const floats = elements.map((value) => (Number.isNaN(value) ? Number.NaN : (value as number)));
    return Buffer.from(arrayOf(datatype, floats).buffer);
  }
  const size = sizeOf(datatype);
  const bytes = Buffer.alloc(size * elements.length);
  elements.forEach((value, index) => {
    const bits = BigInt.asUintN(8 * size, BigInt(value as number));
    for (let byte = 0; byte < size; byte++) {
      bytes[index * size + byte] = Number((bits >> BigInt(8 * byte)) & 0xffn);
    }
  });
  return bytes;
}

/** Bytes such that two tensors are equal exactly when these are: any BOOL but 0 is true, every NaN is the same. */
export function canonical(datatype: ElementType, bytes: Buffer): Buffer {
  if (datatype === "BOOL") return Buffer.from(bytes.map((value) => (value === 0 ? 0 : 1)));
  if (datatype !== "FP16" && datatype !== "FP32" && datatype !== "FP64") return bytes;
  const { buffer } = new Uint8Array(bytes);
  const floats =
    datatype === "FP16"
      ? new Float16Array(buffer)
      : datatype === "FP32"
        ? new Float32Array(buffer)
        : new Float64Array(buffer);
  return bytesOf(datatype, Array.from(floats));
}

/**
 * What elements of JSON `data` stand for, in the bytes of {@link bytesOf}.
 *
 * @param values as {@link parseExact} gives them
 * @throws Error when one of them is no such element
 */
export function bytesOfJson(datatype: ElementType, values: readonly unknown[]): Buffer {
  return canonical(
    datatype,
    bytesOf(
      datatype,
      values.map((value) => elementOf(datatype, value)),
    ),
  );
}

/** A number of a JSON text, with the digits that it was written in. */
export class Written {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** `JSON.parse`, keeping how numbers were written. @throws SyntaxError */
export function parseExact(text: string): unknown {
  const revive = (_key: string, value: unknown, context?: { readonly source?: string }) =>
    typeof value === "number" ? new Written(context?.source ?? String(value)) : value;
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
}

function elementOf(datatype: ElementType, value: unknown): Element {
  const fail = () => new Error(`${JSON.stringify(value)?.slice(0, 100)} is no ${datatype}`);
  if (datatype === "BOOL" || datatype === "BYTES") {
    if (typeof value !== (datatype === "BOOL" ? "boolean" : "string")) throw fail();
    if (typeof value === "string" && (value.includes("\0") || !value.isWellFormed())) throw fail();
    return value as Element;
  }
  if (datatype === "FP16" || datatype === "FP32" || datatype === "FP64") {
    if (value === "NaN" || value === "Infinity" || value === "-Infinity") return Number(value);
    if (!(value instanceof Written)) throw fail();
    const number = Number(value.text);
    if (!Number.isFinite(arrayOf(datatype, [number])[0])) throw fail();
    return number;
  }
  if (!(value instanceof Written)) throw fail();
  const [bits, signed] = WHOLE[datatype] as readonly [number, boolean];
  if (!Number.isInteger(Number(value.text))) throw fail();
  const whole = /^-?\d+$/.test(value.text) ? BigInt(value.text) : BigInt(Number(value.text));
  const held = signed ? BigInt.asIntN(bits, whole) : BigInt.asUintN(bits, whole);
  if (held !== whole) throw fail();
  return bits === 64 ? whole : Number(whole);
}

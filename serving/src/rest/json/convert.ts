import { allocateNumeric, type Datatype, type NumericData } from "../../tensor/tensor.ts";

/** Datatypes whose elements are JSON numbers. */
export type NumericDatatype = Exclude<Datatype, "BOOL" | "BYTES">;
/** Whole numbers that a double holds. */
export type IntegerDatatype = "UINT8" | "UINT16" | "UINT32" | "INT8" | "INT16" | "INT32";

/** Whole numbers each datatype holds, both ends included. */
export const RANGES: Readonly<Record<IntegerDatatype, readonly [number, number]>> = {
  UINT8: [0, 2 ** 8 - 1],
  UINT16: [0, 2 ** 16 - 1],
  UINT32: [0, 2 ** 32 - 1],
  INT8: [-(2 ** 7), 2 ** 7 - 1],
  INT16: [-(2 ** 15), 2 ** 15 - 1],
  INT32: [-(2 ** 31), 2 ** 31 - 1],
};

/** From here on a number would be rounded up beyond the largest half-precision one. */
export const FP16_OVERFLOW = 65_520;
/** From here on a number would be rounded up beyond the largest single. */
const FP32_OVERFLOW = 2 ** 128 - 2 ** 103;

export function isNumeric(datatype: Datatype): datatype is NumericDatatype {
  return datatype !== "BOOL" && datatype !== "BYTES";
}

/** The same memory as half-precision numbers. */
export function halvesOf({ buffer, byteOffset, length }: Uint16Array): Float16Array {
  return new Float16Array(buffer, byteOffset, length);
}

/**
 * Numbers as elements of a datatype, in memory of their own.
 *
 * @param numbers the first `count` of these
 * @returns undefined when one of them is out of range, not whole, or beyond 2^53 where every bit counts
 */
export function toNumericData(
  datatype: NumericDatatype,
  numbers: Float64Array,
  count: number,
): NumericData | undefined {
  switch (datatype) {
    case "FP64":
      return isBelow(numbers, count, Number.POSITIVE_INFINITY) ? numbers.slice(0, count) : undefined;
    case "FP32":
      return isBelow(numbers, count, FP32_OVERFLOW) ? new Float32Array(numbers.subarray(0, count)) : undefined;
    case "FP16": {
      if (!isBelow(numbers, count, FP16_OVERFLOW)) return undefined;
      const bits = new Uint16Array(count);
      halvesOf(bits).set(numbers.subarray(0, count));
      return bits;
    }
    case "INT64": {
      const buffer = toIntegers64(numbers, count, -Number.MAX_SAFE_INTEGER);
      return buffer === undefined ? undefined : new BigInt64Array(buffer);
    }
    case "UINT64": {
      const buffer = toIntegers64(numbers, count, 0);
      return buffer === undefined ? undefined : new BigUint64Array(buffer);
    }
    default: {
      const [least, most] = RANGES[datatype];
      if (!areWhole(numbers, count, least, most)) return undefined;
      const data = allocateNumeric(datatype, count) as Int32Array;
      data.set(numbers.subarray(0, count));
      return data;
    }
  }
}

function isBelow(numbers: Float64Array, count: number, limit: number): boolean {
  for (let index = 0; index < count; index++) if (Math.abs(numbers[index] as number) >= limit) return false;
  return true;
}

function areWhole(numbers: Float64Array, count: number, least: number, most: number): boolean {
  for (let index = 0; index < count; index++) {
    const number = numbers[index] as number;
    if (number < least || number > most || Math.trunc(number) !== number) return false;
  }
  return true;
}

/** As two halves of 32 bits each (little-endian, as all platforms of the runtime are): a BigInt each would cost more. */
function toIntegers64(numbers: Float64Array, count: number, least: number): ArrayBuffer | undefined {
  if (!areWhole(numbers, count, least, Number.MAX_SAFE_INTEGER)) return undefined;
  const halves = new Int32Array(2 * count);
  for (let index = 0; index < count; index++) {
    const number = numbers[index] as number;
    halves[2 * index] = number;
    halves[2 * index + 1] = Math.floor(number / 2 ** 32);
  }
  return halves.buffer;
}

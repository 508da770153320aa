import { allocate, elementCount, type Tensor, type TensorSpec } from "../tensor/tensor.ts";

/** Numbers from 0 to 1. */
export type Draw = () => number;

/** How far the elements of a wide sample lie from zero. */
export interface Width {
  /** Of numbers with a fraction: each lies between half of it and all of it. */
  readonly magnitude: number;
  /** As `magnitude`, of whole numbers, as far as their datatype goes; 1: they are 0 or 1. */
  readonly whole: number;
  /** Of numbers that have one. */
  readonly sign: 1 | -1;
}

/** Longest text of a wide sample, in characters. */
const LONGEST_TEXT = 1000;
/** Wide samples repeat themselves after so many elements, a prime: to draw each would take longer than to compute with them. */
const PERIOD = 997;
/** What a wide whole number may be at most, where the datatype ends below the widest. */
const LARGEST: Readonly<Partial<Record<TensorSpec["datatype"], number>>> = {
  UINT8: 255,
  UINT16: 65_535,
  INT8: 127,
  INT16: 32_767,
};
const LARGEST_FP16 = 65_504;

/** Zeros and empty texts; 1 in each open dimension where no shape is given. */
export function zeros(spec: TensorSpec, shape?: readonly number[]): Tensor {
  return fill(spec, shape ?? spec.shape.map((dimension) => (dimension === -1 ? 1 : dimension)), () => 0, undefined);
}

/** Numbers from 0 to 1, whole ones 0 or 1, texts empty or one letter. */
export function narrow(spec: TensorSpec, shape: readonly number[], draw: Draw): Tensor {
  return fill(spec, shape, draw, undefined);
}

/** Numbers far from zero; texts of as many characters as `width.magnitude` says, 1000 at most. */
export function wide(spec: TensorSpec, shape: readonly number[], draw: Draw, width: Width): Tensor {
  return fill(spec, shape, draw, width);
}

/** Whether an element of this datatype can be an index, a length or a count. */
export function isWhole({ datatype }: TensorSpec): boolean {
  return datatype !== "BYTES" && datatype !== "BOOL" && !datatype.startsWith("FP");
}

/** Numbers from 0 to 1 that are the same at each start (mulberry32). */
export function generator(seed: number): Draw {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function fill(spec: TensorSpec, shape: readonly number[], draw: Draw, width: Width | undefined): Tensor {
  const { name, datatype } = spec;
  const data = allocate(datatype, elementCount(shape));
  for (let index = 0; index < data.length; index++) {
    if (width !== undefined && index >= PERIOD) {
      data[index] = data[index - PERIOD] as never;
      continue;
    }
    switch (datatype) {
      case "FP32":
      case "FP64":
        data[index] = fraction(draw, width);
        break;
      case "FP16":
        data[index] = halfBits(width === undefined ? oneOrZero(draw) / 2 : fraction(draw, width));
        break;
      case "BYTES":
        data[index] = text(draw, width);
        break;
      case "BOOL":
        data[index] = oneOrZero(draw);
        break;
      case "INT64":
      case "UINT64":
        data[index] = BigInt(wholeNumber(spec, draw, width));
        break;
      default:
        data[index] = wholeNumber(spec, draw, width);
    }
  }
  return { name, datatype, shape, data };
}

function fraction(draw: Draw, width: Width | undefined): number {
  return width === undefined ? draw() : width.sign * away(width.magnitude, draw);
}

/** Whole numbers may be indices: 0 and 1 are the safest there are. Wide ones keep away from both, and from -1. */
function wholeNumber({ datatype }: TensorSpec, draw: Draw, width: Width | undefined): number {
  if (width === undefined || width.whole === 1) return oneOrZero(draw);
  const size = Math.round(away(Math.min(width.whole, LARGEST[datatype] ?? Number.POSITIVE_INFINITY), draw));
  return datatype.startsWith("UINT") ? size : width.sign * size;
}

function text(draw: Draw, width: Width | undefined): string {
  if (width === undefined) return oneOrZero(draw) === 1 ? "a" : "";
  const length = Math.min(width.magnitude, LONGEST_TEXT);
  const word = `${String.fromCharCode(97 + Math.floor(draw() * 26))}bc `;
  return word.repeat(Math.ceil(length / word.length)).slice(0, length);
}

function oneOrZero(draw: Draw): 0 | 1 {
  return draw() > 0.5 ? 1 : 0;
}

function away(magnitude: number, draw: Draw): number {
  return magnitude * (0.5 + draw() / 2);
}

/** IEEE 754 binary16. */
function halfBits(value: number): number {
  const clipped = Math.max(-LARGEST_FP16, Math.min(LARGEST_FP16, value));
  const view = new DataView(new ArrayBuffer(2));
  view.setFloat16(0, clipped);
  return view.getUint16(0);
}

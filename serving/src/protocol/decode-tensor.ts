import { badRequest, type ProtocolError } from "./error.ts";
import { describe } from "./json.ts";
import { allocate, type Datatype, elementCount, formatShape, type TensorData } from "./tensor.ts";

/** A 64-bit tensor holds a number that a double rounds: parse the body again with `parseExact`. */
export class InexactInteger extends Error {
  override readonly name = "InexactInteger";
}

/** Whole numbers each datatype holds, both ends included. */
const RANGES = {
  UINT8: [0, 2 ** 8 - 1],
  UINT16: [0, 2 ** 16 - 1],
  UINT32: [0, 2 ** 32 - 1],
  INT8: [-(2 ** 7), 2 ** 7 - 1],
  INT16: [-(2 ** 15), 2 ** 15 - 1],
  INT32: [-(2 ** 31), 2 ** 31 - 1],
} as const;

const RANGES_64 = {
  UINT64: [0n, 2n ** 64n - 1n],
  INT64: [-(2n ** 63n), 2n ** 63n - 1n],
} as const;

/** What JSON cannot write as a number is a string, as in the JSON mapping of protocol buffers. */
const NON_FINITE: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

/** More dimensions than any model has; bounds the recursion over nested data. */
const MAX_RANK = 32;

/**
 * The elements of an input tensor from its JSON form: flat in row-major order, or nested as the shape says.
 *
 * @param input the input's name, for messages
 * @throws ProtocolError (400) that names the input and what does not fit
 * @throws InexactInteger when a 64-bit element was rounded by the parser
 */
export function decodeTensorData(
  input: string,
  datatype: Datatype,
  shape: readonly number[],
  data: unknown,
): TensorData {
  if (!Array.isArray(data)) throw refuse(input, `'data' is ${describe(data)}, expected an array`);
  if (shape.length > MAX_RANK) throw refuse(input, `shape has ${shape.length} dimensions, more than ${MAX_RANK}`);
  const nested = Array.isArray(data[0]);
  if (nested) checkNesting(input, shape, data, 0);
  else if (data.length !== elementCount(shape)) {
    const needed = elementCount(shape);
    throw refuse(input, `'data' holds ${data.length} elements, but shape ${formatShape(shape)} needs ${needed}`);
  }
  // Allocated only now: the data was seen to have as many elements as the shape says.
  const target = allocate(datatype, elementCount(shape));
  const write = writerFor(input, datatype, target);
  if (nested) writeNested(data, shape.length - 1, write, { next: 0 });
  else for (let index = 0; index < data.length; index++) write(data[index], index);
  return target;
}

function checkNesting(input: string, shape: readonly number[], data: readonly unknown[], depth: number): void {
  if (data.length !== shape[depth]) {
    const fault =
      depth >= shape.length
        ? `'data' is nested deeper than shape ${formatShape(shape)}`
        : `'data' has ${data.length} elements in dimension ${depth}, but shape ${formatShape(shape)} needs ${shape[depth]}`;
    throw refuse(input, fault);
  }
  if (depth === shape.length - 1) return;
  for (const part of data) {
    if (!Array.isArray(part)) throw refuse(input, `'data' is neither flat nor nested as shape ${formatShape(shape)}`);
    checkNesting(input, shape, part, depth + 1);
  }
}

type Write = (value: unknown, index: number) => void;

function writeNested(data: readonly unknown[], levels: number, write: Write, position: { next: number }): void {
  for (const part of data) {
    if (levels > 0) writeNested(part as readonly unknown[], levels - 1, write, position);
    else write(part, position.next++);
  }
}

function writerFor(input: string, datatype: Datatype, target: TensorData): Write {
  switch (datatype) {
    case "BOOL":
      return (value, index) => {
        if (typeof value !== "boolean") throw wrongElement(input, datatype, index, value, "true or false");
        target[index] = value ? 1 : 0;
      };
    case "FP32":
    case "FP64":
      return (value, index) => {
        target[index] = toFloat(input, datatype, value, index);
      };
    case "UINT64":
    case "INT64":
      return (value, index) => {
        target[index] = toInteger64(input, datatype, value, index);
      };
    case "BYTES":
      return (value, index) => {
        if (typeof value !== "string") throw wrongElement(input, datatype, index, value, "a string");
        // The runtime's binding ends a string at its first NUL, without a word.
        if (value.includes("\0")) throw refuse(input, `element ${index} holds a NUL character, which is not supported`);
        target[index] = value;
      };
    default: {
      const [least, most] = RANGES[datatype];
      return (value, index) => {
        if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
          throw wrongElement(input, datatype, index, value, `a whole number from ${least} to ${most}`);
        }
        target[index] = value;
      };
    }
  }
}

function toFloat(input: string, datatype: "FP32" | "FP64", value: unknown, index: number): number {
  const number = typeof value === "string" ? NON_FINITE[value] : typeof value === "bigint" ? Number(value) : value;
  if (typeof number !== "number") {
    throw wrongElement(input, datatype, index, value, 'a number, "NaN", "Infinity" or "-Infinity"');
  }
  // A literal such as 1e400 is parsed as Infinity; 1e300 becomes Infinity as FP32.
  const rounded = datatype === "FP32" ? Math.fround(number) : number;
  if (typeof value !== "string" && !Number.isFinite(rounded)) {
    throw refuse(input, `element ${index} is too large for ${datatype}`);
  }
  return number;
}

function toInteger64(input: string, datatype: "INT64" | "UINT64", value: unknown, index: number): bigint {
  const [least, most] = RANGES_64[datatype];
  if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)) throw new InexactInteger();
  const integer =
    typeof value === "bigint"
      ? value
      : typeof value === "number" && Number.isInteger(value)
        ? BigInt(value)
        : undefined;
  if (integer === undefined || integer < least || integer > most) {
    throw wrongElement(input, datatype, index, value, `a whole number from ${least} to ${most}`);
  }
  return integer;
}

function wrongElement(
  input: string,
  datatype: Datatype,
  index: number,
  value: unknown,
  expected: string,
): ProtocolError {
  const found = typeof value === "number" || typeof value === "bigint" ? "another number" : describe(value);
  return refuse(input, `element ${index} of 'data' is ${found}, ${datatype} needs ${expected}`);
}

function refuse(input: string, fault: string): ProtocolError {
  return badRequest(`input '${input}': ${fault}`);
}

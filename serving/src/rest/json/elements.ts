import { badRequest, type ProtocolError } from "../../protocol/error.ts";
import {
  allocate,
  elementCount,
  type FixedDatatype,
  formatShape,
  type NumericData,
  type TensorData,
  type TensorSpec,
} from "../../tensor/tensor.ts";
import {
  FP16_OVERFLOW,
  halvesOf,
  type IntegerDatatype,
  isNumeric,
  type NumericDatatype,
  RANGES,
  toNumericData,
} from "./convert.ts";
import { CHARACTER, type JsonCursor } from "./cursor.ts";
import { NumberReader } from "./number.ts";
import { readNumbers } from "./rows.ts";

/** What JSON cannot write as a number is a string, as in the JSON mapping of protocol buffers. */
const NON_FINITE: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

const numbers = new NumberReader();

/** Reads the element where the cursor stands into its place. */
type ReadElement = (index: number) => void;

/**
 * Reads the `data` of an input straight into a tensor's memory: flat in row-major order, or nested as the shape says.
 *
 * @throws ProtocolError (400) that names the input and what does not fit
 */
export function readElements(cursor: JsonCursor, { name, datatype }: TensorSpec, shape: readonly number[]): TensorData {
  if (cursor.kind() !== "an array") throw refuse(name, `'data' is ${cursor.kind()}, expected an array`);
  const count = elementCount(shape);
  const start = cursor.at;
  const target = { input: name, shape, count };
  // An element takes two bytes at least. What a shape claims is allocated only where there can be as many.
  const possible = count <= (cursor.bytes.length - start + 1) / 2;
  const read = possible && isNumeric(datatype) ? readNumbers(cursor, shape, count, datatype === "FP32") : undefined;
  const numeric = read === undefined ? undefined : toNumericData(datatype as NumericDatatype, read, count);
  if (numeric !== undefined) return numeric;
  // Something in it is not a plain number in range. From the start again, an element at a time, to say what and where.
  cursor.at = start;
  const data = possible ? allocate(datatype, count) : [];
  const readElement = possible ? elementReader(cursor, name, datatype, data) : () => cursor.skip();
  readArray(cursor, target, 0, 0, readElement);
  return data;
}

interface Target {
  readonly input: string;
  readonly shape: readonly number[];
  readonly count: number;
}

/** Reads one array: of elements, or of arrays where the data is nested. Returns how many elements were read before. */
function readArray(cursor: JsonCursor, target: Target, depth: number, first: number, read: ReadElement): number {
  const { shape, count, input } = target;
  let next = first;
  let nested = false;
  let length = 0;
  cursor.array((index) => {
    const isArray = cursor.peek() === CHARACTER.openArray;
    if (index === 0) nested = isArray;
    if (isArray !== nested) throw refuse(input, `'data' is neither flat nor nested as shape ${formatShape(shape)}`);
    length = index + 1;
    if (nested) {
      if (depth >= shape.length - 1) {
        throw refuse(input, `element ${next} of 'data' is an array, nested deeper than shape ${formatShape(shape)}`);
      }
      next = readArray(cursor, target, depth + 1, next, read);
      return;
    }
    if (depth > 0 && depth < shape.length - 1) {
      throw refuse(input, `'data' is neither flat nor nested as shape ${formatShape(shape)}`);
    }
    if (next < count) read(next);
    else cursor.skip();
    next++;
  });
  if (depth === 0 && !nested) {
    if (length !== count) {
      throw refuse(input, `'data' holds ${length} elements, but shape ${formatShape(shape)} needs ${count}`);
    }
  } else if (length !== shape[depth]) {
    const needed = `but shape ${formatShape(shape)} needs ${shape[depth]}`;
    throw refuse(input, `'data' has ${length} elements in dimension ${depth}, ${needed}`);
  }
  return next;
}

function elementReader(
  cursor: JsonCursor,
  input: string,
  datatype: TensorSpec["datatype"],
  data: TensorData,
): ReadElement {
  switch (datatype) {
    case "BYTES":
      return (index) => {
        data[index] = readText(cursor, input, index);
      };
    case "BOOL":
      return (index) => {
        if (cursor.kind() !== "a boolean") throw wrongElement(cursor, input, datatype, index, "true or false");
        data[index] = cursor.boolean() ? 1 : 0;
      };
    case "FP32":
      return (index) => {
        data[index] = readFloat(cursor, input, datatype, index);
      };
    case "FP64":
      return (index) => {
        data[index] = readFloat(cursor, input, datatype, index);
      };
    case "FP16": {
      const halves = halvesOf(data as Uint16Array);
      return (index) => {
        halves[index] = readFloat(cursor, input, datatype, index);
      };
    }
    case "INT64":
    case "UINT64":
      return (index) => {
        (data as BigInt64Array)[index] = readInteger64(cursor, input, datatype, index);
      };
    default:
      return integerReader(cursor, input, datatype, data as Exclude<NumericData, BigInt64Array | BigUint64Array>);
  }
}

function integerReader(
  cursor: JsonCursor,
  input: string,
  datatype: IntegerDatatype,
  data: Exclude<NumericData, BigInt64Array | BigUint64Array>,
): ReadElement {
  const [least, most] = RANGES[datatype];
  return (index) => {
    const expected = () => `a whole number from ${least} to ${most}`;
    if (!atNumber(cursor)) throw wrongElement(cursor, input, datatype, index, expected());
    numbers.readDouble(cursor);
    const { value } = numbers;
    if (!(value >= least && value <= most) || !Number.isInteger(value)) {
      throw refuse(input, `element ${index} of 'data' is another number, ${datatype} needs ${expected()}`);
    }
    data[index] = value;
  };
}

function atNumber(cursor: JsonCursor): boolean {
  const byte = cursor.peek() as number;
  return (byte >= CHARACTER.zero && byte <= CHARACTER.nine) || byte === CHARACTER.minus;
}

function readFloat(cursor: JsonCursor, input: string, datatype: "FP16" | "FP32" | "FP64", index: number): number {
  if (!atNumber(cursor)) return readNonFinite(cursor, input, datatype, index);
  numbers.readDouble(cursor);
  const { value } = numbers;
  // A literal such as 1e400 is read as Infinity; 1e300 becomes Infinity as FP32.
  const magnitude = Math.abs(datatype === "FP32" ? Math.fround(value) : value);
  if (magnitude === Number.POSITIVE_INFINITY || (datatype === "FP16" && magnitude >= FP16_OVERFLOW)) {
    throw refuse(input, `element ${index} is too large for ${datatype}`);
  }
  return value;
}

function readNonFinite(cursor: JsonCursor, input: string, datatype: FixedDatatype, index: number): number {
  const expected = 'a number, "NaN", "Infinity" or "-Infinity"';
  if (cursor.kind() !== "a string") throw wrongElement(cursor, input, datatype, index, expected);
  const value = NON_FINITE[cursor.string()];
  if (value === undefined) {
    throw refuse(input, `element ${index} of 'data' is a string, ${datatype} needs ${expected}`);
  }
  return value;
}

function readInteger64(cursor: JsonCursor, input: string, datatype: "INT64" | "UINT64", index: number): bigint {
  const [least, most] = datatype === "INT64" ? [-(2n ** 63n), 2n ** 63n - 1n] : [0n, 2n ** 64n - 1n];
  const expected = `a whole number from ${least} to ${most}`;
  if (!atNumber(cursor)) throw wrongElement(cursor, input, datatype, index, expected);
  const start = cursor.at;
  numbers.readDouble(cursor);
  const { value, isWhole } = numbers;
  if (Number.isInteger(value) && !Number.isSafeInteger(value) && !isWhole) {
    throw badRequest("a 64-bit whole number beyond 2^53 must be written in digits, without a fraction or an exponent");
  }
  const integer = Number.isSafeInteger(value)
    ? BigInt(value)
    : // A number of a million digits would be a second's work.
      isWhole && Math.abs(value) <= 2 ** 64
      ? BigInt(cursor.bytes.toString("latin1", start, cursor.at))
      : undefined;
  if (integer === undefined || integer < least || integer > most) {
    throw refuse(input, `element ${index} of 'data' is another number, ${datatype} needs ${expected}`);
  }
  return integer;
}

function readText(cursor: JsonCursor, input: string, index: number): string {
  if (cursor.kind() !== "a string") throw wrongElement(cursor, input, "BYTES", index, "a string");
  const text = cursor.string();
  // The runtime's binding ends a string at its first NUL, without a word.
  if (text.includes("\0")) throw refuse(input, `element ${index} holds a NUL character, which is not supported`);
  if (!text.isWellFormed()) throw refuse(input, `element ${index} holds half of a surrogate pair, which is no text`);
  return text;
}

/** Passes over the element first: what is no JSON at all is told as such. */
function wrongElement(
  cursor: JsonCursor,
  input: string,
  datatype: string,
  index: number,
  expected: string,
): ProtocolError {
  const found = cursor.kind();
  cursor.skip();
  return refuse(input, `element ${index} of 'data' is ${found}, ${datatype} needs ${expected}`);
}

function refuse(input: string, fault: string): ProtocolError {
  return badRequest(`input '${input}': ${fault}`);
}

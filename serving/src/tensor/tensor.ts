/**
 * Tensors as the Open Inference Protocol names them.
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md#tensor-data-types
 */

export const DATATYPES = [
  "BOOL",
  "UINT8",
  "UINT16",
  "UINT32",
  "UINT64",
  "INT8",
  "INT16",
  "INT32",
  "INT64",
  "FP16",
  "FP32",
  "FP64",
  "BYTES",
] as const;

export type Datatype = (typeof DATATYPES)[number];

/** What a model declares about one input or output. A dimension of -1 may have any size. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
}

/**
 * Elements in row-major order: BOOL as 0 and 1 in a Uint8Array, FP16 as its bits in a Uint16Array, BYTES as strings (the
 * runtime's binding carries text only: UTF-8 without NUL).
 */
export type TensorData = NumericData | string[];

/** Elements of a fixed size. */
export type NumericData =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/** A value for one input or of one output. The product of `shape` is the length of `data`. */
export interface Tensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** Datatypes whose elements have a fixed size. */
export type FixedDatatype = Exclude<Datatype, "BYTES">;

interface NumericArray {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): NumericData;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): NumericData;
}

const ARRAYS: Readonly<Record<FixedDatatype, NumericArray>> = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
};

/** Bytes of one element. */
export function elementSize(datatype: FixedDatatype): number {
  return ARRAYS[datatype].BYTES_PER_ELEMENT;
}

/** An array of `length` zeros that holds elements of the datatype. */
export function allocateNumeric(datatype: FixedDatatype, length: number): NumericData {
  return new ARRAYS[datatype](length);
}

/** An array of `length` zeros (or empty strings) that holds elements of the datatype. */
export function allocate(datatype: Datatype, length: number): TensorData {
  return datatype === "BYTES" ? new Array<string>(length).fill("") : allocateNumeric(datatype, length);
}

/**
 * Little-endian bytes as elements: a view of them where they are aligned, a copy where they are not.
 *
 * @param bytes a whole number of elements
 */
export function viewNumeric(datatype: FixedDatatype, bytes: Uint8Array): NumericData {
  const array = ARRAYS[datatype];
  const size = array.BYTES_PER_ELEMENT;
  if (bytes.byteOffset % size === 0) return new array(bytes.buffer, bytes.byteOffset, bytes.byteLength / size);
  const copy = new Uint8Array(bytes.byteLength);
  copy.set(bytes);
  return new array(copy.buffer, 0, bytes.byteLength / size);
}

/** The bytes of elements, without a copy. */
export function bytesOf(data: NumericData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** How many elements a tensor of this shape has; the empty shape is a scalar. */
export function elementCount(shape: readonly number[]): number {
  let product = 1;
  for (const size of shape) product *= size;
  return product;
}

/** A shape as messages write it: `[-1,64]`. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(",")}]`;
}

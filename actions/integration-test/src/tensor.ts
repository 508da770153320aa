/** A tensor of the Open Inference Protocol in its JSON form. */
export interface Tensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  /** Flat, row by row. */
  readonly data: readonly unknown[];
}

export const datatypes = [
  "BOOL",
  ...["UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64"],
  ...["FP16", "FP32", "FP64", "BF16", "BYTES"],
] as const;

/** Reads a tensor, flattening nested data; a sentence says what is wrong with it. */
export function readTensor(value: unknown): Tensor | string {
  if (value === null || typeof value !== "object") return "it is not an object";
  const { name, datatype, shape, data } = value as Record<string, unknown>;
  if (typeof name !== "string") return "it has no name";
  if (typeof datatype !== "string") return `${name} has no datatype`;
  if (!Array.isArray(shape) || !shape.every((size) => Number.isInteger(size) && size >= 0))
    return `${name} has no shape of whole numbers`;
  if (!Array.isArray(data)) return `${name} has no data`;
  return { name, datatype, shape, data: data.flat(Number.POSITIVE_INFINITY) };
}

/** Where in a tensor an element of the flat data lies, such as `[0, 3]`. */
export function position(index: number, shape: readonly number[]): string {
  const places: number[] = [];
  let rest = index;
  for (const size of shape.toReversed()) {
    places.unshift(size > 0 ? rest % size : 0);
    rest = size > 0 ? Math.floor(rest / size) : 0;
  }
  return `[${places.join(", ")}]`;
}

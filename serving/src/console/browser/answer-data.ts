/** An element of a tensor as JSON has it; 64-bit whole numbers beyond 2^53 as BigInt. */
export type Element = number | bigint | boolean | string;

/** An output tensor of an answer. */
export interface OutputTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  /** In row-major order. */
  readonly data: readonly Element[];
}

export interface InferenceAnswer {
  readonly model: string;
  readonly version: string;
  readonly outputs: readonly OutputTensor[];
}

/**
 * Reads the answer to an inference request. Numbers are kept to the last digit where the browser tells how they were
 * written (ECMAScript's `JSON.parse` source text access).
 *
 * @throws SyntaxError, TypeError when it is none
 */
export function readAnswer(text: string): InferenceAnswer {
  const exact = /"U?INT64"/.test(text) ? (exactIntegers as (key: string, value: unknown) => unknown) : undefined;
  const body = JSON.parse(text, exact) as {
    readonly model_name: string;
    readonly model_version?: string;
    readonly outputs: readonly (OutputTensor & { readonly data: readonly unknown[] })[];
  };
  return {
    model: body.model_name,
    version: body.model_version ?? "",
    outputs: body.outputs.map(({ name, datatype, shape, data }) => ({
      name,
      datatype,
      shape,
      data: data.flat(Number.POSITIVE_INFINITY) as Element[],
    })),
  };
}

function exactIntegers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const isRounded = typeof value === "number" && !Number.isSafeInteger(value) && context?.source !== undefined;
  return isRounded && /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
}

/** The elements as numbers to draw and to sum up; undefined where they are none. */
export function numbersOf({ datatype, data }: OutputTensor): number[] | undefined {
  return datatype === "BYTES" || datatype === "BOOL" ? undefined : data.map(Number);
}

/** How an output is best looked at: the dimensions of size 1 in front (a batch of one) take nothing from it. */
export type Look =
  | { readonly kind: "empty" }
  | { readonly kind: "scalar" }
  | { readonly kind: "list"; readonly size: number }
  /** `slice` says which table of a higher tensor it is: `[0, 0, :, :]`. */
  | { readonly kind: "table"; readonly rows: number; readonly columns: number; readonly slice: string | undefined };

export function lookOf(shape: readonly number[], size: number): Look {
  if (size === 0) return { kind: "empty" };
  const first = shape.findIndex((dimension) => dimension !== 1);
  if (first === -1) return { kind: "scalar" };
  const rest = shape.slice(first);
  if (rest.length === 1) return { kind: "list", size };
  const [rows = 1, columns = 1] = shape.slice(-2);
  const slice = rest.length > 2 ? `[${shape.map((_, i) => (i < shape.length - 2 ? "0" : ":")).join(", ")}]` : undefined;
  return { kind: "table", rows, columns, slice };
}

/** Least, mean and greatest of the finite numbers, and where the greatest is; undefined when none is finite. */
export function summaryOf(
  numbers: readonly number[],
): { readonly least: number; readonly mean: number; readonly greatest: number; readonly at: number } | undefined {
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  let at = -1;
  let sum = 0;
  let count = 0;
  for (const [index, number] of numbers.entries()) {
    if (!Number.isFinite(number)) continue;
    if (number < least) least = number;
    if (number > greatest) [greatest, at] = [number, index];
    sum += number;
    count += 1;
  }
  return count === 0 ? undefined : { least, mean: sum / count, greatest, at };
}

/** A place in the flat data as the indices of its dimensions; those of a batch of one in front are left out. */
export function indexOf(at: number, shape: readonly number[]): string {
  const indices: number[] = [];
  let rest = at;
  for (const size of shape.toReversed()) {
    indices.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  const first = Math.max(
    0,
    shape.findIndex((size) => size !== 1),
  );
  const own = indices.slice(first);
  return own.length === 1 ? String(own[0]) : `[${own.join(", ")}]`;
}

/** A number short enough to compare; whole numbers in full. */
export function formatNumber(value: Element): string {
  if (typeof value !== "number" || Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return size < 1e-3 || size >= 1e7 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

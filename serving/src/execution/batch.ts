import {
  allocateNumeric,
  type FixedDatatype,
  type NumericData,
  type Tensor,
  type TensorSpec,
} from "../tensor/tensor.ts";

/** Rows of a request: the first dimension of its inputs. */
export function rowsOf(inputs: readonly Tensor[]): number {
  return inputs[0]?.shape[0] ?? 1;
}

/**
 * Whether the declared shapes leave the first dimension of every input and output open: what a batch is made of. Whether
 * the model really treats rows apart is measured, see `measure.ts`.
 */
export function hasBatchDimension(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[]): boolean {
  const open = ({ shape }: TensorSpec) => shape[0] === -1;
  return inputs.length > 0 && inputs.every(open) && outputs.every(open);
}

/**
 * Operators that settle one thing for all rows together, which a few rows that are tried need not show: by what scale they are
 * quantized, which way is taken, how often.
 * https://onnx.ai/onnx/operators/ and https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
 */
const ROW_MIXING_OPERATORS = [
  "DynamicQuantizeLinear",
  "DynamicQuantizeMatMul",
  "DynamicQuantizeLSTM",
  // Their condition is one truth for the whole batch, and the number of turns one number.
  "If",
  "Loop",
];

/** Whether a model has an operator that makes a row's result depend on the rows beside it. */
export function mixesRows(operators: ReadonlySet<string>): boolean {
  return ROW_MIXING_OPERATORS.some((operator) => operators.has(operator));
}

/**
 * Whether the rows of one request can follow the rows of another: the other has as many rows in each of its inputs, and all
 * other dimensions are equal.
 */
export function canJoin(first: readonly Tensor[], next: readonly Tensor[]): boolean {
  const rows = rowsOf(next);
  for (let index = 0; index < next.length; index++) {
    const one = (first[index] as Tensor).shape;
    const other = (next[index] as Tensor).shape;
    if (other.length !== one.length || other[0] !== rows) return false;
    for (let dimension = 1; dimension < one.length; dimension++) {
      if (one[dimension] !== other[dimension]) return false;
    }
  }
  return true;
}

/** The inputs of several requests as one batch, in their order. */
export function joinInputs(requests: readonly (readonly Tensor[])[], rows: number): Tensor[] {
  const first = requests[0] as readonly Tensor[];
  return first.map(({ name, datatype, shape }, index) => {
    const parts = requests.map((inputs) => (inputs[index] as Tensor).data);
    return {
      name,
      datatype,
      shape: [rows, ...shape.slice(1)],
      data: datatype === "BYTES" ? (parts as string[][]).flat() : concatenate(datatype, parts as NumericData[]),
    };
  });
}

function concatenate(datatype: FixedDatatype, parts: readonly NumericData[]): NumericData {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = allocateNumeric(datatype, length);
  let at = 0;
  for (const part of parts) {
    (joined as Uint8Array).set(part as Uint8Array, at);
    at += part.length;
  }
  return joined;
}

/**
 * The part of a batch's outputs that belongs to one request: views, no copies.
 *
 * @returns undefined when an output has not one row for each row of the inputs
 */
export function sliceOutputs(
  outputs: readonly Tensor[],
  { from, rows, total }: { readonly from: number; readonly rows: number; readonly total: number },
): Tensor[] | undefined {
  const parts: Tensor[] = [];
  for (const { name, datatype, shape, data } of outputs) {
    if (shape[0] !== total) return undefined;
    const width = data.length / total;
    const start = from * width;
    const end = start + rows * width;
    const part = Array.isArray(data) ? data.slice(start, end) : data.subarray(start, end);
    parts.push({ name, datatype, shape: [rows, ...shape.slice(1)], data: part });
  }
  return parts;
}

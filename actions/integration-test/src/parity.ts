import { position, readTensor, type Tensor } from "./tensor.ts";

export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

/**
 * Compares an answer with what was expected. Undefined when they agree, else one sentence that names output, index, expected
 * and actual value.
 *
 * A floating-point value `a` agrees with the expected `e` when |a − e| <= atol + rtol × |e| (the rule of numpy.allclose); NaN
 * agrees with NaN alone, an infinity with itself. Integers, booleans and texts must be equal. Outputs that are not expected
 * are not looked at.
 */
export function compareOutputs(expected: readonly Tensor[], answer: unknown, tolerance: Tolerance): string | undefined {
  const outputs = (answer as { outputs?: unknown } | null)?.outputs;
  if (!Array.isArray(outputs)) return "the answer has no 'outputs'";
  for (const wanted of expected) {
    const found = outputs.find((output) => (output as { name?: unknown } | null)?.name === wanted.name);
    if (found === undefined) return `output '${wanted.name}' is missing`;
    const difference = compareTensor(wanted, readTensor(found), tolerance);
    if (difference) return difference;
  }
  return undefined;
}

function compareTensor(wanted: Tensor, found: Tensor | string, tolerance: Tolerance): string | undefined {
  const output = `output '${wanted.name}'`;
  if (typeof found === "string") return `${output} is not a tensor: ${found}`;
  if (found.datatype !== wanted.datatype) return `${output} is ${found.datatype}, expected ${wanted.datatype}`;
  if (found.shape.join() !== wanted.shape.join())
    return `${output} has shape [${found.shape.join(", ")}], expected [${wanted.shape.join(", ")}]`;
  if (found.data.length !== wanted.data.length)
    return `${output} has ${found.data.length} values, expected ${wanted.data.length}`;
  const agrees = agreement(wanted.datatype, tolerance);
  const wrong = wanted.data.flatMap((expected, index) => (agrees(expected, found.data[index]) ? [] : [index]));
  const [first] = wrong;
  if (first === undefined) return undefined;
  const expected = wanted.data[first];
  const got = found.data[first];
  const others = wrong.length > 1 ? `; ${wrong.length} of ${wanted.data.length} values differ` : "";
  const within = isFloat(wanted.datatype) ? allowance(expected, tolerance) : "";
  return `${output} at ${position(first, wanted.shape)} is ${show(got)}, expected ${show(expected)}${within}${others}`;
}

function agreement(datatype: string, { rtol, atol }: Tolerance): (expected: unknown, actual: unknown) => boolean {
  if (!isFloat(datatype)) return (expected, actual) => normal(expected) === normal(actual);
  return (expected, actual) => {
    const e = toFloat(expected);
    const a = toFloat(actual);
    if (e === undefined || a === undefined) return false;
    if (Number.isNaN(e) || Number.isNaN(a)) return Number.isNaN(e) && Number.isNaN(a);
    if (!Number.isFinite(e) || !Number.isFinite(a)) return e === a;
    return Math.abs(a - e) <= atol + rtol * Math.abs(e);
  };
}

function isFloat(datatype: string): boolean {
  return /^(FP|BF)/.test(datatype);
}

function allowance(expected: unknown, { rtol, atol }: Tolerance): string {
  const e = toFloat(expected);
  return e !== undefined && Number.isFinite(e) ? ` ± ${Number((atol + rtol * Math.abs(e)).toPrecision(3))}` : "";
}

/** A float as servers write it in JSON: a number, a word for what JSON lacks, or null, which JavaScript writes for NaN. */
function toFloat(value: unknown): number | undefined {
  if (typeof value === "number" || typeof value === "bigint") return Number(value);
  if (value === null || value === "NaN") return Number.NaN;
  if (value === "Infinity") return Number.POSITIVE_INFINITY;
  if (value === "-Infinity") return Number.NEGATIVE_INFINITY;
  return undefined;
}

/** Booleans may be written as 0 and 1, integers above 2^53 as bigint. */
function normal(value: unknown): unknown {
  if (typeof value === "boolean") return BigInt(value);
  return typeof value === "number" && Number.isInteger(value) ? BigInt(value) : value;
}

function show(value: unknown): string {
  if (typeof value === "string") return `'${value.length > 60 ? `${value.slice(0, 57)}...` : value}'`;
  return value === undefined ? "nothing" : String(value);
}

/** Checks of a request against what its model declares: the same rules and words for REST and gRPC. */
import type { Signature } from "../models/model.ts";
import { DATATYPES, type Datatype, formatShape, type Tensor, type TensorSpec } from "../tensor/tensor.ts";
import { badRequest } from "./error.ts";

/** More dimensions than any model has; bounds the recursion over nested data. */
export const MAX_RANK = 32;

/** The largest dimension that the runtime's binding takes. */
const MAX_DIMENSION = 2 ** 32 - 1;

/**
 * What the model declares of an input that a request names.
 *
 * @throws ProtocolError (400) when it has no such input
 */
export function findInput({ inputs }: Signature, name: string): TensorSpec {
  for (const spec of inputs) if (spec.name === name) return spec;
  throw badRequest(`the model has no input ${quote(name)}; ${expectation("inputs", inputs)}`);
}

/** @throws ProtocolError (400) when the datatype is not the model's */
export function checkDatatype({ name, datatype }: TensorSpec, found: string): void {
  if (found === datatype) return;
  const known = DATATYPES.includes(found as Datatype) ? found : "none of the protocol's";
  throw badRequest(`input '${name}': 'datatype' is ${known}, the model needs ${datatype}`);
}

/**
 * Checks a request's shape: whole numbers, and the model's own where it declares them. A dimension of 0 that the model does
 * not declare itself is refused unless its `config.json` allows it: some of ONNX Runtime's operators end the process on it.
 *
 * @throws ProtocolError (400)
 */
export function checkShape({ emptyTensors }: Signature, spec: TensorSpec, shape: readonly number[]): void {
  let largest = 0;
  let extent = 1;
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 0) {
      throw badRequest(`input '${spec.name}': 'shape' must hold whole numbers, 0 or more`);
    }
    if (size > largest) largest = size;
    if (size > 0) extent *= size;
  }
  // With elements it would be refused for their number; without any it would be for the runtime to refuse.
  if (shape.includes(0)) {
    if (largest > MAX_DIMENSION) {
      throw badRequest(`input '${spec.name}': 'shape' holds ${largest}, more than ${MAX_DIMENSION}`);
    }
    if (extent > Number.MAX_SAFE_INTEGER)
      throw badRequest(`input '${spec.name}': 'shape' is too large, though it holds 0`);
  }
  // ONNX Runtime gives [] for a scalar and for an input of any rank alike: then it is the one to judge.
  const declared = spec.shape;
  const fits = declared.length === 0 || (shape.length === declared.length && fitsDeclared(shape, declared));
  if (!fits) {
    const found = shape.length > MAX_RANK ? `has ${shape.length} dimensions` : `is ${formatShape(shape)}`;
    throw badRequest(`input '${spec.name}': 'shape' ${found}, the model needs ${formatShape(declared)}`);
  }
  if (shape.length > MAX_RANK) {
    throw badRequest(`input '${spec.name}': shape has ${shape.length} dimensions, more than ${MAX_RANK}`);
  }
  if (shape.includes(0) && emptyTensors !== true) refuseOpenZeros(spec, shape);
}

function refuseOpenZeros({ name, shape: declared }: TensorSpec, shape: readonly number[]): void {
  if (!shape.some((size, index) => size === 0 && declared[index] !== 0)) return;
  throw badRequest(
    `input '${name}': 'shape' is ${formatShape(shape)}, and this model takes no tensor without elements: send no request ` +
      `where there is nothing to compute, or allow it by "emptyTensors": true in the model's config.json`,
  );
}

function fitsDeclared(shape: readonly number[], declared: readonly number[]): boolean {
  for (let index = 0; index < declared.length; index++) {
    if (declared[index] !== -1 && declared[index] !== shape[index]) return false;
  }
  return true;
}

/**
 * A request's tensors in the model's order.
 *
 * @throws ProtocolError (400) when one is missing or there twice
 */
export function arrangeInputs({ inputs }: Signature, tensors: readonly Tensor[]): Tensor[] {
  const arranged: Tensor[] = [];
  for (const { name } of inputs) {
    const found = tensors.find((tensor) => tensor.name === name);
    if (found === undefined) throw badRequest(`input '${name}' is missing; ${expectation("inputs", inputs)}`);
    arranged.push(found);
  }
  // Every tensor has a name that the model knows, so one more than the model takes is a repetition.
  if (tensors.length > inputs.length) throw badRequest(`input '${repeated(tensors)}' is there twice`);
  return arranged;
}

const outputNames = new WeakMap<readonly TensorSpec[], readonly string[]>();

/** The names of all outputs: the same list for each request that names none, which makes them easy to tell. */
export function allOutputs({ outputs }: Signature): readonly string[] {
  let names = outputNames.get(outputs);
  if (names === undefined) {
    names = outputs.map(({ name }) => name);
    outputNames.set(outputs, names);
  }
  return names;
}

/**
 * The outputs that a request asks for, in its order.
 *
 * @throws ProtocolError (400) when the model has no such output, or one is named twice
 */
export function checkOutputs({ outputs }: Signature, names: readonly string[]): void {
  for (const [index, name] of names.entries()) {
    if (!outputs.some((spec) => spec.name === name)) {
      throw badRequest(`the model has no output ${quote(name)}; ${expectation("outputs", outputs)}`);
    }
    if (names.indexOf(name) !== index) throw badRequest(`output '${name}' is there twice`);
  }
}

/** A name from a request in quotes, cut to a length that suits a message and a log line. */
export function quote(name: string): string {
  return `'${name.length > 100 ? `${name.slice(0, 100)}…` : name}'`;
}

function repeated(tensors: readonly Tensor[]): string {
  const names = tensors.map(({ name }) => name);
  return names.find((name, index) => names.indexOf(name) !== index) ?? "";
}

function expectation(list: string, specs: readonly TensorSpec[]): string {
  return `its ${list}: ${specs.map((spec) => `${spec.name} ${spec.datatype}${formatShape(spec.shape)}`).join(", ")}`;
}

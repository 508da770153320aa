import { decodeTensorData, InexactInteger } from "./decode-tensor.ts";
import { encodeTensor } from "./encode-tensor.ts";
import { badRequest } from "./error.ts";
import { describe, isObject, parseExact, parseJson, quote } from "./json.ts";
import { DATATYPES, type Datatype, formatShape, type Tensor, type TensorSpec } from "./tensor.ts";

/** What a model takes and gives, in its own order. */
export interface Signature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

export interface InferRequest {
  readonly id: string | undefined;
  /** One tensor for each of the model's inputs, in the model's order. */
  readonly inputs: readonly Tensor[];
  /** Names of the outputs asked for, in the order asked. */
  readonly outputs: readonly string[];
}

/**
 * Reads the body of an inference request and checks it against the model.
 *
 * @throws ProtocolError (400) that says what is wrong, and of which input or output
 */
export function parseInferRequest(text: string, signature: Signature): InferRequest {
  try {
    return readRequest(parseJson(text), signature);
  } catch (error) {
    if (!(error instanceof InexactInteger)) throw error;
  }
  try {
    return readRequest(parseExact(text), signature);
  } catch (error) {
    if (!(error instanceof InexactInteger)) throw error;
    throw badRequest("a 64-bit whole number beyond 2^53 must be written in digits, without a fraction or an exponent");
  }
}

/** The body of an inference response. */
export function formatInferResponse(
  model: { readonly name: string; readonly version: string },
  id: string | undefined,
  outputs: readonly Tensor[],
): string {
  const echo = id === undefined ? "" : `"id":${JSON.stringify(id)},`;
  const names = `"model_name":${JSON.stringify(model.name)},"model_version":${JSON.stringify(model.version)}`;
  return `{${names},${echo}"outputs":[${outputs.map(encodeTensor).join(",")}]}`;
}

function readRequest(body: unknown, signature: Signature): InferRequest {
  if (!isObject(body)) throw badRequest(`the request body is ${describe(body)}, expected an object`);
  if (body.id !== undefined && typeof body.id !== "string") {
    throw badRequest(`'id' is ${describe(body.id)}, expected a string`);
  }
  checkParameters("the request", body.parameters);
  return {
    id: body.id,
    inputs: readInputs(body.inputs, signature.inputs),
    outputs: readOutputs(body.outputs, signature.outputs),
  };
}

function readInputs(inputs: unknown, specs: readonly TensorSpec[]): Tensor[] {
  const named = byName("inputs", inputs, specs);
  return specs.map((spec) => {
    const input = named.get(spec.name);
    if (input === undefined) throw badRequest(`input '${spec.name}' is missing; ${expectation("inputs", specs)}`);
    return readInput(input, spec);
  });
}

function readOutputs(outputs: unknown, specs: readonly TensorSpec[]): string[] {
  const all = specs.map((spec) => spec.name);
  if (outputs === undefined) return all;
  const named = byName("outputs", outputs, specs);
  return named.size === 0 ? all : [...named.keys()];
}

/** The entries of `inputs` or `outputs` by name, in order: each an object, known to the model, and there once. */
function byName(
  list: "inputs" | "outputs",
  value: unknown,
  specs: readonly TensorSpec[],
): Map<string, Readonly<Record<string, unknown>>> {
  if (!Array.isArray(value)) throw badRequest(`'${list}' is ${describe(value)}, expected an array`);
  const kind = list === "inputs" ? "input" : "output";
  const named = new Map<string, Readonly<Record<string, unknown>>>();
  for (const [index, entry] of value.entries()) {
    if (!isObject(entry)) throw badRequest(`${list}[${index}] is ${describe(entry)}, expected an object`);
    const { name } = entry;
    if (typeof name !== "string") throw badRequest(`${list}[${index}].name is ${describe(name)}, expected a string`);
    if (!specs.some((spec) => spec.name === name)) {
      throw badRequest(`the model has no ${kind} ${quote(name)}; ${expectation(list, specs)}`);
    }
    if (named.has(name)) throw badRequest(`${kind} '${name}' is there twice`);
    checkParameters(`${kind} '${name}'`, entry.parameters);
    named.set(name, entry);
  }
  return named;
}

function readInput(input: Readonly<Record<string, unknown>>, spec: TensorSpec): Tensor {
  const { name } = spec;
  const { datatype } = input;
  if (datatype !== spec.datatype) {
    const isKnown = DATATYPES.includes(datatype as Datatype);
    const found = typeof datatype !== "string" ? describe(datatype) : isKnown ? datatype : "none of this server's";
    throw badRequest(`input '${name}': 'datatype' is ${found}, the model needs ${spec.datatype}`);
  }
  const shape = readShape(name, input.shape, spec.shape);
  return { name, datatype: spec.datatype, shape, data: decodeTensorData(name, spec.datatype, shape, input.data) };
}

function readShape(input: string, shape: unknown, declared: readonly number[]): number[] {
  if (!Array.isArray(shape)) throw badRequest(`input '${input}': 'shape' is ${describe(shape)}, expected an array`);
  if (!shape.every((size) => typeof size === "number" && Number.isSafeInteger(size) && size >= 0)) {
    throw badRequest(`input '${input}': 'shape' must hold whole numbers, 0 or more`);
  }
  const sizes = shape as number[];
  // ONNX Runtime gives [] for a scalar and for an input of any rank alike: then it is the one to judge.
  if (declared.length === 0) return sizes;
  const fits =
    sizes.length === declared.length && declared.every((size, index) => size === -1 || size === sizes[index]);
  if (!fits) {
    const found = sizes.length > 32 ? `has ${sizes.length} dimensions` : `is ${formatShape(sizes)}`;
    throw badRequest(`input '${input}': 'shape' ${found}, the model needs ${formatShape(declared)}`);
  }
  return sizes;
}

/** Parameters of the binary tensor extension would change the form of the answer: refused rather than ignored. */
function checkParameters(owner: string, parameters: unknown): void {
  if (parameters === undefined) return;
  if (!isObject(parameters)) throw badRequest(`${owner}: 'parameters' is ${describe(parameters)}, expected an object`);
  const asksBinary =
    parameters.binary_data === true ||
    parameters.binary_data_output === true ||
    parameters.binary_data_size !== undefined;
  if (asksBinary) {
    throw badRequest(`${owner}: the binary tensor extension is not supported, ask for JSON (binary_data: false)`);
  }
}

function expectation(list: string, specs: readonly TensorSpec[]): string {
  return `its ${list}: ${specs.map((spec) => `${spec.name} ${spec.datatype}${formatShape(spec.shape)}`).join(", ")}`;
}

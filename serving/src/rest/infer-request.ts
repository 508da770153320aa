import { isUtf8 } from "node:buffer";
import type { Signature } from "../models/model.ts";
import type { RequestElements } from "../protocol/bytes-elements.ts";
import { badRequest } from "../protocol/error.ts";
import {
  allOutputs,
  arrangeInputs,
  checkDatatype,
  checkOutputs,
  checkShape,
  findInput,
  MAX_RANK,
  quote,
} from "../protocol/signature.ts";
import { elementCount, type Tensor, type TensorData, type TensorSpec } from "../tensor/tensor.ts";
import { BinarySection, rawTensor } from "./binary.ts";
import { JsonCursor } from "./json/cursor.ts";
import { readElements } from "./json/elements.ts";
import { flag, twice, twoForms } from "./member-faults.ts";

/** An inference request, checked against its model. */
export interface InferRequest {
  readonly id: string | undefined;
  /** One tensor for each of the model's inputs, in the model's order. */
  readonly inputs: readonly Tensor[];
  /** Names of the outputs asked for, in the order asked. */
  readonly outputs: readonly string[];
  /** For each of `outputs`, whether its data is to follow the JSON in binary. */
  readonly binary: readonly boolean[];
  /** How long the client waits, in milliseconds; undefined: not said. */
  readonly timeoutMs: number | undefined;
}

/** What one request may hold. */
export interface RequestLimits {
  /** Inputs, and outputs, that it may name. */
  readonly maxTensors: number;
  readonly bytesElements: RequestElements;
}

/**
 * Reads the body of an inference request.
 *
 * @param jsonLength length of the JSON at the start of the body, from `Inference-Header-Content-Length`; undefined: all of
 *   it; 0: the body is the data of the model's only input
 * @throws ProtocolError that says what is wrong, and of which input or output: 400; 413 or 503 when it holds too many elements
 */
export function readInferRequest(
  body: Buffer,
  jsonLength: number | undefined,
  signature: Signature,
  limits: RequestLimits,
): InferRequest {
  if (jsonLength === 0) return rawRequest(body, signature);
  if (jsonLength !== undefined && jsonLength > body.length) {
    throw badRequest(`Inference-Header-Content-Length is ${jsonLength}, but the request body has ${body.length} bytes`);
  }
  const json = jsonLength === undefined ? body : body.subarray(0, jsonLength);
  if (!isUtf8(json)) throw badRequest("the request body is not valid UTF-8");
  const binary = jsonLength === undefined ? undefined : new BinarySection(body.subarray(jsonLength));
  const reader = new InferRequestReader(new JsonCursor(json), signature, binary, limits);
  return reader.read();
}

function rawRequest(body: Buffer, signature: Signature): InferRequest {
  const outputs = signature.outputs.map(({ name }) => name);
  return {
    id: undefined,
    inputs: [rawTensor(body, signature)],
    outputs,
    binary: outputs.map(() => true),
    timeoutMs: undefined,
  };
}

/** What one entry of `inputs` holds, as far as it was read. */
interface InputEntry {
  name?: string;
  datatype?: string;
  shape?: number[];
  tensor?: Tensor;
  /** Where its data starts, when that came before what says how to read it. */
  dataAt?: number;
  binarySize?: number;
  hasParameters?: boolean;
}

interface OutputEntry {
  readonly name: string;
  readonly binary: boolean | undefined;
}

class InferRequestReader {
  readonly #cursor: JsonCursor;
  readonly #signature: Signature;
  readonly #binary: BinarySection | undefined;
  readonly #limits: RequestLimits;
  readonly #tensors: Tensor[] = [];
  #id: string | undefined;
  #timeoutMs: number | undefined;
  #binaryOutput = false;
  #outputs: OutputEntry[] = [];

  constructor(cursor: JsonCursor, signature: Signature, binary: BinarySection | undefined, limits: RequestLimits) {
    this.#limits = limits;
    this.#cursor = cursor;
    this.#signature = signature;
    this.#binary = binary;
  }

  read(): InferRequest {
    const cursor = this.#cursor;
    const seen = new Set<string>();
    this.#expect("an object", "the request body");
    cursor.object((key) => {
      if (key === "inputs" || key === "outputs" || key === "id" || key === "parameters") {
        if (seen.has(key)) throw badRequest(`'${key}' is there twice`);
        seen.add(key);
      }
      this.#member(key);
    });
    cursor.end();
    if (!seen.has("inputs")) throw badRequest("'inputs' is missing, expected an array");
    this.#binary?.end();
    return this.#result();
  }

  #result(): InferRequest {
    const inputs = arrangeInputs(this.#signature, this.#tensors);
    const asked = this.#outputs;
    if (asked.length === 0) {
      const outputs = allOutputs(this.#signature);
      const binary = new Array<boolean>(outputs.length).fill(this.#binaryOutput);
      return { id: this.#id, inputs, outputs, binary, timeoutMs: this.#timeoutMs };
    }
    const outputs = asked.map(({ name }) => name);
    checkOutputs(this.#signature, outputs);
    const binary = asked.map((output) => output.binary ?? this.#binaryOutput);
    return { id: this.#id, inputs, outputs, binary, timeoutMs: this.#timeoutMs };
  }

  #member(key: string): void {
    const cursor = this.#cursor;
    switch (key) {
      case "id":
        this.#expect("a string", "'id'");
        this.#id = cursor.string();
        return;
      case "parameters":
        this.#requestParameters();
        return;
      case "inputs":
        this.#expect("an array", "'inputs'");
        cursor.array((index) => this.#input(index));
        return;
      case "outputs":
        this.#expect("an array", "'outputs'");
        cursor.array((index) => this.#output(index));
        return;
      default:
        cursor.skip();
    }
  }

  #input(index: number): void {
    const cursor = this.#cursor;
    this.#checkCount("inputs", index);
    this.#expect("an object", `inputs[${index}]`);
    const entry: InputEntry = {};
    cursor.object((key) => this.#inputMember(entry, index, key));
    if (entry.name === undefined) throw badRequest(`inputs[${index}].name is missing, expected a string`);
    const spec = findInput(this.#signature, entry.name);
    const shape = this.#checkEntry(entry, spec);
    const tensor = entry.tensor ?? this.#inputData(entry, spec, shape);
    if (entry.tensor !== undefined && entry.binarySize !== undefined) throw twoForms(spec.name);
    this.#tensors.push(tensor);
  }

  #checkCount(list: "inputs" | "outputs", index: number): void {
    const { maxTensors } = this.#limits;
    if (index < maxTensors) return;
    throw badRequest(`'${list}' holds more than ${maxTensors} tensors, the limit of this server`);
  }

  #inputMember(entry: InputEntry, index: number, key: string): void {
    const cursor = this.#cursor;
    switch (key) {
      case "name":
        if (entry.name !== undefined) throw twice(label(entry, index), key);
        this.#expect("a string", `inputs[${index}].name`);
        entry.name = cursor.string();
        return;
      case "datatype":
        if (entry.datatype !== undefined) throw twice(label(entry, index), key);
        this.#expect("a string", `${label(entry, index)}: 'datatype'`);
        entry.datatype = cursor.string();
        return;
      case "shape":
        if (entry.shape !== undefined) throw twice(label(entry, index), key);
        entry.shape = this.#shape(label(entry, index));
        return;
      case "parameters": {
        const owner = label(entry, index);
        if (entry.hasParameters === true) throw twice(owner, key);
        entry.hasParameters = true;
        const size = this.#parameters(owner).binary_data_size;
        if (size === undefined) return;
        if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
          throw badRequest(`${owner}: 'binary_data_size' must be a whole number of bytes`);
        }
        entry.binarySize = size;
        return;
      }
      case "data":
        if (entry.tensor !== undefined || entry.dataAt !== undefined) throw twice(label(entry, index), key);
        this.#data(entry);
        return;
      default:
        cursor.skip();
    }
  }

  /** Reads the elements at once where all is known that says how; comes back for them otherwise. */
  #data(entry: InputEntry): void {
    const { name, datatype, shape } = entry;
    const cursor = this.#cursor;
    if (name === undefined || datatype === undefined || shape === undefined) {
      cursor.peek();
      entry.dataAt = cursor.at;
      cursor.skip();
      return;
    }
    const spec = findInput(this.#signature, name);
    this.#checkEntry(entry, spec);
    entry.tensor = { name: spec.name, datatype: spec.datatype, shape, data: this.#elements(spec, shape) };
  }

  #inputData(entry: InputEntry, spec: TensorSpec, shape: readonly number[]): Tensor {
    const { name, datatype } = spec;
    if (entry.binarySize !== undefined) {
      if (entry.dataAt !== undefined) throw twoForms(name);
      if (this.#binary === undefined) {
        const remedy = "send Inference-Header-Content-Length with the length of the JSON";
        throw badRequest(`input '${name}' has 'binary_data_size', but the request has no binary part: ${remedy}`);
      }
      const count = elementCount(shape);
      if (datatype === "BYTES") this.#limits.bytesElements.take(count);
      return { name, datatype, shape, data: this.#binary.take(spec, count, entry.binarySize) };
    }
    if (entry.dataAt === undefined) throw badRequest(`input '${name}': 'data' is missing, expected an array`);
    const cursor = this.#cursor;
    const after = cursor.at;
    cursor.at = entry.dataAt;
    const data = this.#elements(spec, shape);
    cursor.at = after;
    return { name, datatype, shape, data };
  }

  /** Those that lie where the cursor stands. */
  #elements(spec: TensorSpec, shape: readonly number[]): TensorData {
    if (spec.datatype === "BYTES") this.#limits.bytesElements.take(elementCount(shape));
    return readElements(this.#cursor, spec, shape);
  }

  #checkEntry(entry: InputEntry, spec: TensorSpec): number[] {
    const { name } = spec;
    if (entry.datatype === undefined) throw badRequest(`input '${name}': 'datatype' is missing, expected a string`);
    checkDatatype(spec, entry.datatype);
    if (entry.shape === undefined) throw badRequest(`input '${name}': 'shape' is missing, expected an array`);
    checkShape(this.#signature, spec, entry.shape);
    return entry.shape;
  }

  #shape(owner: string): number[] {
    const cursor = this.#cursor;
    this.#expect("an array", `${owner}: 'shape'`);
    const shape: number[] = [];
    let count = 0;
    cursor.array(() => {
      count++;
      if (cursor.kind() !== "a number") {
        cursor.skip();
        throw badRequest(`${owner}: 'shape' must hold whole numbers, 0 or more`);
      }
      const start = cursor.at;
      cursor.skipNumber();
      // Not more than a message needs: a shape of a million dimensions is refused for its rank.
      if (count <= MAX_RANK + 1) shape.push(Number(cursor.bytes.toString("latin1", start, cursor.at)));
    });
    if (count > MAX_RANK) throw badRequest(`${owner}: shape has ${count} dimensions, more than ${MAX_RANK}`);
    return shape;
  }

  #output(index: number): void {
    const cursor = this.#cursor;
    this.#checkCount("outputs", index);
    this.#expect("an object", `outputs[${index}]`);
    let name: string | undefined;
    let binary: boolean | undefined;
    cursor.object((key) => {
      if (key === "name") {
        if (name !== undefined) throw twice(`outputs[${index}]`, key);
        this.#expect("a string", `outputs[${index}].name`);
        name = cursor.string();
      } else if (key === "parameters") {
        const owner = name === undefined ? `outputs[${index}]` : `output ${quote(name)}`;
        const parameters = this.#parameters(owner);
        binary = flag(owner, "binary_data", parameters.binary_data);
        if (parameters.classification !== undefined) {
          throw badRequest(`${owner}: the classification extension is not supported, ask for the tensor`);
        }
        if (Object.keys(parameters).some((key) => key.startsWith("shared_memory_"))) {
          throw badRequest(`${owner}: shared memory is not supported, ask for the tensor`);
        }
      } else cursor.skip();
    });
    if (name === undefined) throw badRequest(`outputs[${index}].name is missing, expected a string`);
    this.#outputs.push({ name, binary });
  }

  #requestParameters(): void {
    const parameters = this.#parameters("the request");
    this.#binaryOutput = flag("the request", "binary_data_output", parameters.binary_data_output) ?? false;
    const { timeout } = parameters;
    if (timeout === undefined) return;
    if (typeof timeout !== "number" || !(timeout >= 0)) {
      throw badRequest("the request: 'timeout' must be a number of microseconds, 0 for none");
    }
    if (timeout > 0) this.#timeoutMs = timeout / 1000;
  }

  #parameters(owner: string): Readonly<Record<string, unknown>> {
    this.#expect("an object", `${owner}: 'parameters'`);
    return this.#cursor.value(`${owner}: 'parameters'`) as Readonly<Record<string, unknown>>;
  }

  #expect(kind: "an object" | "an array" | "a string", what: string): void {
    const found = this.#cursor.kind();
    if (found === kind) return;
    // Passed over first: what is no JSON at all is told as such.
    this.#cursor.skip();
    throw badRequest(`${what} is ${found}, expected ${kind}`);
  }
}

function label({ name }: InputEntry, index: number): string {
  return name === undefined ? `inputs[${index}]` : `input '${name.slice(0, 100)}'`;
}

/**
 * A second reading of REST requests, by `JSON.parse` and without regard for time or memory: what the server answers with 200
 * is held against it, so that a request cannot be taken for another one than it is.
 */
import { bytesOfJson, canonical, parseExact, sizeOf, Written } from "./elements.ts";
import { MODELS, type Port } from "./fuzz-models.ts";

/** A request for an inference, as it was sent. */
export interface Sent {
  readonly model: string;
  /** Decompressed. */
  readonly body: Buffer;
  /** Undefined: the body is JSON. */
  readonly jsonLength: number | undefined;
}

/** A tensor in a form in which two are equal exactly when they are. */
export interface PlainTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly bytes: Buffer;
}

export interface Expected {
  readonly id: unknown;
  readonly outputs: readonly PlainTensor[];
}

type Fields = Readonly<Record<string, unknown>>;

/** @throws Error when the request has no right answer */
export function expectedAnswer({ model, body, jsonLength }: Sent): Expected {
  const ports = MODELS.get(model)?.ports;
  if (ports === undefined) throw new Error(`no model '${model.slice(0, 100)}'`);
  if (jsonLength === 0) return { id: undefined, outputs: [rawOutput(ports, body)] };
  const json = jsonLength === undefined ? body : body.subarray(0, jsonLength);
  const request = parseExact(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(json)) as Fields;
  const binary = jsonLength === undefined ? undefined : body.subarray(jsonLength);
  const tensors = readInputs(request.inputs as readonly Fields[], ports, binary);
  const asked = (request.outputs ?? []) as readonly Fields[];
  const names = asked.length > 0 ? asked.map(({ name }) => name) : ports.map(({ name }) => `${name}_out`);
  const outputs = names.map((name) => {
    const tensor = tensors.find((input) => `${input.name}_out` === name);
    if (tensor === undefined) throw new Error("an output that the model lacks");
    return { ...tensor, name: name as string };
  });
  return { id: request.id, outputs };
}

function rawOutput([port]: readonly Port[], body: Buffer): PlainTensor {
  const { name, datatype } = port as Port;
  if (datatype === "BYTES") {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
    return { name: "x_out", datatype, shape: [1], bytes: bytesOfJson(datatype, [text]) };
  }
  const count = body.length / sizeOf(datatype);
  if (!Number.isInteger(count)) throw new Error("no whole number of elements");
  const bytes = canonical(datatype, body);
  // Of the models with one input, a scalar and a row can be sent like this, and nothing tells their bytes apart.
  return { name: `${name}_out`, datatype, shape: [count], bytes };
}

function readInputs(inputs: readonly Fields[], ports: readonly Port[], binary: Buffer | undefined): PlainTensor[] {
  let at = 0;
  const tensors = inputs.map(({ name, datatype, shape, data, parameters }) => {
    const port = ports.find((candidate) => candidate.name === name);
    if (port === undefined || port.datatype !== datatype) throw new Error("not an input of the model");
    const sizes = (shape as readonly unknown[]).map(sizeOfDimension);
    const count = sizes.reduce((product, size) => product * size, 1);
    const size = (parameters as Fields | undefined)?.binary_data_size;
    if (size === undefined) {
      const elements = flatten(data, sizes);
      if (elements.length !== count) throw new Error("another number of elements than the shape says");
      return { ...port, shape: sizes, bytes: bytesOfJson(port.datatype, elements) };
    }
    if (data !== undefined || binary === undefined) throw new Error("data in two places, or in none");
    const bytes = binary.subarray(at, at + Number((size as Written).text));
    at += Number((size as Written).text);
    const needed = port.datatype === "BYTES" ? countedLength(bytes, count) : count * sizeOf(port.datatype);
    if (bytes.length !== needed) throw new Error("not as many bytes as the shape says");
    return { ...port, shape: sizes, bytes: canonical(port.datatype, bytes) };
  });
  if (binary !== undefined && at !== binary.length) throw new Error("bytes that belong to no input");
  const names = new Set(tensors.map(({ name }) => name));
  if (names.size !== ports.length || tensors.length !== ports.length) throw new Error("not every input once");
  return tensors;
}

function sizeOfDimension(value: unknown): number {
  const size = value instanceof Written ? Number(value.text) : Number.NaN;
  if (!Number.isSafeInteger(size) || size < 0) throw new Error("no dimension");
  return size;
}

/** Elements that are flat, or nested as the shape says. */
function flatten(data: unknown, shape: readonly number[]): unknown[] {
  if (!Array.isArray(data)) throw new Error("data that is no array");
  if (!data.some(Array.isArray)) return data;
  const [rows, ...rest] = shape;
  if (rest.length === 0 || data.length !== rows) throw new Error("nested otherwise than the shape says");
  return data.flatMap((row) => {
    const elements = flattenRow(row, rest);
    return elements;
  });
}

function flattenRow(data: unknown, [length, ...rest]: readonly number[]): unknown[] {
  if (!Array.isArray(data) || data.length !== length) throw new Error("nested otherwise than the shape says");
  if (rest.length === 0) return data;
  return data.flatMap((row) => flattenRow(row, rest));
}

/** Length of a BYTES tensor that holds exactly `count` elements. */
function countedLength(bytes: Buffer, count: number): number {
  let at = 0;
  let found = 0;
  while (at + 4 <= bytes.length) {
    const end = at + 4 + bytes.readUInt32LE(at);
    if (end > bytes.length) throw new Error("an element that does not end");
    new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(at + 4, end));
    at = end;
    found++;
  }
  return found === count ? at : Number.NaN;
}

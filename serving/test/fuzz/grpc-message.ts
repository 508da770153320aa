import { fileURLToPath } from "node:url";
import { loadSync, type MethodDefinition } from "@grpc/proto-loader";
import type { ElementType } from "../onnx-file.ts";
import type { Dice } from "./dice.ts";
import { bytesOf, bytesOfJson, canonical, type Element, Written } from "./elements.ts";
import { MODELS } from "./fuzz-models.ts";
import type { Inference, TestTensor } from "./inference.ts";
import { judgeTensors } from "./oracle.ts";
import type { PlainTensor } from "./reference.ts";

/** `InferRequest` of inference.proto, in the form of protobuf.js. */
export interface RequestMessage {
  model_name: string;
  model_version?: string;
  id?: string;
  parameters?: Record<string, object>;
  inputs: TensorMessage[];
  outputs?: { name: string; parameters?: Record<string, object> }[];
  raw_input_contents?: Buffer[];
  unknown?: string;
}

export interface TensorMessage {
  name: string;
  datatype: string;
  shape: (number | string)[];
  parameters?: Record<string, object>;
  contents?: Record<string, unknown[]> | null;
}

interface ResponseMessage {
  readonly id: string;
  readonly outputs: readonly TensorMessage[];
  readonly raw_output_contents: readonly Buffer[];
}

const PROTO = fileURLToPath(new URL("../inference.proto", import.meta.url));
const SERVICE = loadSync(PROTO, { keepCase: true, longs: String, defaults: true })["inference.GRPCInferenceService"];
const METHOD = (SERVICE as unknown as Readonly<Record<string, MethodDefinition<object, object>>>)
  .ModelInfer as MethodDefinition<object, object>;

/** The field that holds the elements of a datatype; FP16 has none. */
const FIELDS: Readonly<Partial<Record<ElementType, string>>> = {
  BOOL: "bool_contents",
  INT8: "int_contents",
  INT16: "int_contents",
  INT32: "int_contents",
  INT64: "int64_contents",
  UINT8: "uint_contents",
  UINT16: "uint_contents",
  UINT32: "uint_contents",
  UINT64: "uint64_contents",
  FP32: "fp32_contents",
  FP64: "fp64_contents",
  BYTES: "bytes_contents",
};

/** An inference with its data in typed fields where there are such, or all of it raw. */
export function requestMessage(dice: Dice, { model, version, id, inputs, outputs }: Inference): RequestMessage {
  const isRaw = dice.oneIn(2) || inputs.some(({ datatype }) => datatype === "FP16");
  return {
    model_name: model,
    ...(version === undefined ? {} : { model_version: version }),
    ...(id === undefined ? {} : { id }),
    inputs: inputs.map((tensor) => ({
      name: tensor.name,
      datatype: tensor.datatype,
      shape: [...tensor.shape],
      ...(isRaw ? {} : { contents: { [FIELDS[tensor.datatype] as string]: tensor.elements.map(plain(tensor)) } }),
    })),
    ...(outputs === undefined ? {} : { outputs: outputs.map((name) => ({ name })) }),
    ...(isRaw ? { raw_input_contents: inputs.map(({ datatype, elements }) => bytesOf(datatype, elements)) } : {}),
  };
}

function plain({ datatype }: TestTensor): (value: Element) => unknown {
  if (datatype === "BYTES") return (value) => Buffer.from(value as string);
  return (value) => (typeof value === "bigint" ? String(value) : value);
}

export function encodeRequest(message: RequestMessage): Buffer {
  return METHOD.requestSerialize(message);
}

/**
 * What protobuf.js reads; undefined where it cannot put what it has read into plain form, as for a parameter without a value.
 *
 * @throws Error
 */
function decodeRequest(bytes: Buffer): RequestMessage | undefined {
  try {
    return METHOD.requestDeserialize(bytes) as RequestMessage;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/**
 * Holds an answer against what was sent, as protobuf.js reads both.
 *
 * @throws Error
 */
export function judgeResponse(sent: Buffer, answered: Buffer): void {
  const request = decodeRequest(sent);
  if (request === undefined) return;
  const { ports = [] } = MODELS.get(request.model_name) ?? {};
  const inputs = tensorsOf(request.inputs, request.raw_input_contents ?? []);
  const asked = request.outputs ?? [];
  const names = asked.length > 0 ? asked.map(({ name }) => name) : ports.map(({ name }) => `${name}_out`);
  const expected = names.map((name) => {
    const tensor = inputs.find((input) => `${input.name}_out` === name);
    if (tensor === undefined) throw new Error("answered what was not asked");
    return { ...tensor, name };
  });
  const response = METHOD.responseDeserialize(answered) as ResponseMessage;
  judgeTensors(tensorsOf(response.outputs, response.raw_output_contents), expected);
  if (response.id !== request.id) throw new Error("answered with another id");
}

function tensorsOf(tensors: readonly TensorMessage[], raw: readonly Buffer[]): PlainTensor[] {
  return tensors.map(({ name, datatype, shape, contents }, index) => {
    const type = datatype as ElementType;
    const bytes = raw[index] ?? typedBytes(type, contents?.[FIELDS[type] ?? ""] ?? []);
    return { name, datatype, shape: shape.map(Number), bytes: canonical(type, bytes) };
  });
}

/** @throws Error when the datatype is narrower than a value in the field that it shares with others */
function typedBytes(datatype: ElementType, values: readonly unknown[]): Buffer {
  if (datatype === "BYTES") return bytesOf(datatype, values.map(String));
  if (datatype === "BOOL" || datatype.startsWith("FP")) return bytesOf(datatype, values as Element[]);
  return bytesOfJson(
    datatype,
    values.map((value) => new Written(String(value))),
  );
}

/**
 * `ModelInferResponse`.
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/open_inference_grpc.proto
 */
import type { Model } from "../../models/model.ts";
import { formatBytes } from "../../protocol/bytes-tensor.ts";
import { bytesOf, type NumericData, type Tensor } from "../../tensor/tensor.ts";
import { WIRE } from "../protobuf/reader.ts";
import { delimitedSize, ProtobufWriter, varintSize } from "../protobuf/writer.ts";
import { writeContents } from "./tensor-contents-writer.ts";

export interface InferResponse {
  /** The request's; empty when it had none. */
  readonly id: string;
  readonly outputs: readonly Tensor[];
  /** As typed contents. Nevertheless raw when an output is FP16, which has none: a message is wholly the one or the other. */
  readonly typed: boolean;
  /** Says that no further answer to the request follows. */
  readonly marksFinal: boolean;
}

/** What is the same in each answer of a model. */
interface Constants {
  /** Its name and version. */
  readonly opening: Buffer;
  /** Name and datatype of each output, by name. */
  readonly outputs: Map<string, Buffer>;
}

const constants = new WeakMap<Model, Constants>();

/** `{"triton_final_response": true}`, an entry of `parameters`. */
const FINAL = parameterEntry("triton_final_response");

/**
 * Writes an answer into one buffer: data is copied into its place once.
 *
 * In the form that the request came in: raw contents are what tritonclient, KServe and perf_analyzer send and read, typed
 * ones what people write by hand.
 */
export function writeInferResponse(model: Model, { id, outputs, typed, marksFinal }: InferResponse): Buffer {
  const { opening, outputs: heads } = constantsOf(model);
  const asTyped = typed && outputs.every(({ datatype }) => datatype !== "FP16");
  const parts = outputs.map((tensor) => partsOf(tensor, heads, asTyped));
  const idLength = id === "" ? 0 : Buffer.byteLength(id);
  let size = opening.length + (id === "" ? 0 : delimitedSize(idLength)) + (marksFinal ? FINAL.length : 0);
  for (const { headSize, raw } of parts) {
    size += delimitedSize(headSize) + (raw === undefined ? 0 : delimitedSize(raw.byteLength));
  }
  const writer = new ProtobufWriter(size);
  writer.raw(opening);
  if (id !== "") writer.text(3, id, idLength);
  if (marksFinal) writer.raw(FINAL);
  for (const part of parts) writeHead(writer, part);
  for (const { raw } of parts) if (raw !== undefined) writer.delimited(6, raw);
  return writer.bytes;
}

interface OutputParts {
  /** Name and datatype. */
  readonly head: Buffer;
  readonly shape: readonly number[];
  readonly shapeSize: number;
  readonly contents: Buffer | undefined;
  readonly raw: Uint8Array | undefined;
  /** Bytes of the `InferOutputTensor`. */
  readonly headSize: number;
}

function partsOf(tensor: Tensor, heads: Map<string, Buffer>, typed: boolean): OutputParts {
  const { name, datatype, shape, data } = tensor;
  let head = heads.get(name);
  if (head === undefined) {
    head = Buffer.concat([textField(1, name), textField(2, datatype)]);
    heads.set(name, head);
  }
  let shapeSize = 0;
  for (const size of shape) shapeSize += varintSize(size);
  const contents = typed ? writeContents(tensor) : undefined;
  const raw = typed ? undefined : datatype === "BYTES" ? formatBytes(data as string[]) : bytesOf(data as NumericData);
  let headSize = head.length;
  if (shape.length > 0) headSize += delimitedSize(shapeSize);
  if (contents !== undefined) headSize += delimitedSize(contents.length);
  return { head, shape, shapeSize, contents, raw, headSize };
}

function writeHead(writer: ProtobufWriter, { head, shape, shapeSize, contents, headSize }: OutputParts): void {
  writer.head(5, headSize);
  writer.raw(head);
  if (shape.length > 0) {
    writer.head(3, shapeSize);
    for (const size of shape) writer.varint(size);
  }
  if (contents !== undefined) writer.delimited(5, contents);
}

function constantsOf(model: Model): Constants {
  let known = constants.get(model);
  if (known === undefined) {
    known = { opening: Buffer.concat([textField(1, model.name), textField(2, model.version)]), outputs: new Map() };
    constants.set(model, known);
  }
  return known;
}

function textField(field: number, text: string): Buffer {
  const length = Buffer.byteLength(text);
  const writer = new ProtobufWriter(delimitedSize(length));
  writer.text(field, text, length);
  return writer.bytes;
}

function parameterEntry(key: string): Buffer {
  const value = new ProtobufWriter(2);
  value.tag(1, WIRE.varint);
  value.varint(1);
  const entry = Buffer.concat([textField(1, key), delimitedField(2, value.bytes)]);
  return delimitedField(4, entry);
}

/** A message as the field of another. */
export function delimitedField(field: number, bytes: Buffer): Buffer {
  const writer = new ProtobufWriter(delimitedSize(bytes.length));
  writer.delimited(field, bytes);
  return writer.bytes;
}

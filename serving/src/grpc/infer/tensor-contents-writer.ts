import { bytesOf, type Datatype, type NumericData, type Tensor } from "../../tensor/tensor.ts";
import { delimitedSize, ProtobufWriter, varintSize } from "../protobuf/writer.ts";
import { CONTENTS_FIELD } from "./tensor-contents.ts";

/** Numbers that fit a double, as the runtime gives them. */
type SmallIntegers = Exclude<NumericData, BigInt64Array | BigUint64Array>;

/** An output's elements as `InferTensorContents`. Not for FP16. */
export function writeContents(tensor: Tensor): Buffer {
  const datatype = tensor.datatype as Exclude<Datatype, "FP16">;
  const field = CONTENTS_FIELD[datatype];
  switch (datatype) {
    case "BYTES":
      return writeTexts(field, tensor.data as readonly string[]);
    case "FP32":
    case "FP64":
    case "BOOL": // one byte, 0 or 1: a varint as it is
      return packed(field, bytesOf(tensor.data as NumericData));
    case "INT64":
    case "UINT64":
      return writeIntegers64(field, tensor.data as BigInt64Array | BigUint64Array);
    default:
      return writeIntegers(field, tensor.data as SmallIntegers);
  }
}

function packed(field: number, bytes: Uint8Array): Buffer {
  const writer = new ProtobufWriter(delimitedSize(bytes.byteLength));
  writer.delimited(field, bytes);
  return writer.bytes;
}

function writeIntegers(field: number, values: SmallIntegers): Buffer {
  let size = 0;
  for (const value of values) size += varintSize(value);
  const writer = new ProtobufWriter(delimitedSize(size));
  writer.head(field, size);
  for (const value of values) writer.varint(value);
  return writer.bytes;
}

function writeIntegers64(field: number, values: BigInt64Array | BigUint64Array): Buffer {
  const halves = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
  let size = 0;
  for (let index = 0; index < halves.length; index += 2) {
    size += varint64Size(halves[index] as number, halves[index + 1] as number);
  }
  const writer = new ProtobufWriter(delimitedSize(size));
  writer.head(field, size);
  for (let index = 0; index < halves.length; index += 2) {
    writer.varint64(halves[index] as number, halves[index + 1] as number);
  }
  return writer.bytes;
}

function varint64Size(low: number, high: number): number {
  const bits = high === 0 ? 32 - Math.clz32(low) : 64 - Math.clz32(high);
  return Math.max(1, Math.ceil(bits / 7));
}

function writeTexts(field: number, texts: readonly string[]): Buffer {
  const lengths = texts.map((text) => Buffer.byteLength(text));
  const writer = new ProtobufWriter(lengths.reduce((sum, length) => sum + delimitedSize(length), 0));
  for (const [index, text] of texts.entries()) writer.text(field, text, lengths[index] as number);
  return writer.bytes;
}

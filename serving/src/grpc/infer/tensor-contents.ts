/** `InferTensorContents`: a tensor's elements in the repeated field of their type. FP16 has none. */
import { textOf } from "../../protocol/bytes-tensor.ts";
import { badRequest } from "../../protocol/error.ts";
import {
  allocateNumeric,
  bytesOf,
  type Datatype,
  elementSize,
  type FixedDatatype,
  formatShape,
  type NumericData,
  type TensorData,
  type TensorSpec,
  viewNumeric,
} from "../../tensor/tensor.ts";
import { ProtobufReader, WIRE } from "../protobuf/reader.ts";

/** The fields, by number. */
const FIELDS = [
  undefined,
  "bool_contents",
  "int_contents",
  "int64_contents",
  "uint_contents",
  "uint64_contents",
  "fp32_contents",
  "fp64_contents",
  "bytes_contents",
] as const;

/** Number of the field that holds the elements of a datatype. */
export const CONTENTS_FIELD: Readonly<Record<Exclude<Datatype, "FP16">, number>> = {
  BOOL: 1,
  INT8: 2,
  INT16: 2,
  INT32: 2,
  INT64: 3,
  UINT8: 4,
  UINT16: 4,
  UINT32: 4,
  UINT64: 5,
  FP32: 6,
  FP64: 7,
  BYTES: 8,
};

/** Whole numbers that are sent in a wider field than they need. */
const RANGES: Readonly<Partial<Record<Datatype, readonly [number, number]>>> = {
  INT8: [-(2 ** 7), 2 ** 7 - 1],
  INT16: [-(2 ** 15), 2 ** 15 - 1],
  UINT8: [0, 2 ** 8 - 1],
  UINT16: [0, 2 ** 16 - 1],
};

/**
 * Reads an input's elements: a view of the message where they lie in one piece and are aligned.
 *
 * @param shape the request's, already checked
 * @param count elements that the shape needs
 * @param parts the message; parts of it when the field came several times
 * @throws ProtocolError (400) when they are in the wrong field, too few, too many, or out of range
 */
export function readContents(
  spec: TensorSpec,
  shape: readonly number[],
  count: number,
  parts: readonly Buffer[],
): TensorData {
  const { name, datatype } = spec;
  if (datatype === "FP16") {
    if (count === 0 && parts.length === 0) return allocateNumeric(datatype, 0);
    throw badRequest(`input '${name}': FP16 has no typed contents, use 'raw_input_contents'`);
  }
  const field = CONTENTS_FIELD[datatype];
  let found = 0;
  for (const part of parts) {
    found += countElements(spec, field, part, count - found);
    if (found > count) break;
  }
  if (found !== count) {
    const holds = `holds ${found > count ? `more than ${count}` : found} elements`;
    throw badRequest(`input '${name}': '${FIELDS[field]}' ${holds}, but shape ${formatShape(shape)} needs ${count}`);
  }
  // Allocated only now: there are as many elements as the shape says.
  if (datatype === "BYTES") return readTexts(name, parts);
  if (datatype === "FP32" || datatype === "FP64") return readFloats(datatype, count, parts);
  const data = allocateNumeric(datatype, count);
  fillIntegers(spec, data, field, parts);
  return data;
}

/**
 * Elements in the field; another field that holds any is an error. Beyond `most` they are not counted further: a message
 * may hold millions that take two bytes each.
 */
function countElements({ name, datatype }: TensorSpec, field: number, part: Buffer, most: number): number {
  const reader = new ProtobufReader(part);
  let count = 0;
  while (count <= most && reader.next()) {
    if (reader.field === field) count += countValues(reader, datatype as FixedDatatype);
    else {
      const known = FIELDS[reader.field];
      const outer = reader.wire === WIRE.delimited && known !== undefined ? reader.enter() : undefined;
      if (known !== undefined && (outer === undefined || reader.hasMore() || known === "bytes_contents")) {
        throw badRequest(`input '${name}': '${known}' is given, but ${datatype} is sent in '${FIELDS[field]}'`);
      }
      if (outer === undefined) reader.skip();
      else reader.leave(outer);
    }
  }
  return count;
}

/** Elements that one occurrence of the field holds: a packed list, or one. */
function countValues(reader: ProtobufReader, datatype: Datatype): number {
  const packed = reader.wire === WIRE.delimited;
  if (datatype === "BYTES" || !packed) {
    if (datatype === "BYTES") reader.expect(WIRE.delimited);
    else reader.expect(wireOf(datatype));
    reader.skip();
    return 1;
  }
  const outer = reader.enter();
  const bytes = reader.rest();
  reader.leave(outer);
  if (datatype === "FP32" || datatype === "FP64") {
    const count = bytes.length / elementSize(datatype);
    if (!Number.isInteger(count)) throw reader.malformed(`${bytes.length} bytes are no whole number of ${datatype}`);
    return count;
  }
  // A number ends with the byte whose highest bit is clear.
  let count = 0;
  for (let index = 0; index < bytes.length; index++) if ((bytes[index] as number) < 0x80) count++;
  return count;
}

function wireOf(datatype: Datatype): number {
  return datatype === "FP32" ? WIRE.fixed32 : datatype === "FP64" ? WIRE.fixed64 : WIRE.varint;
}

function readFloats(datatype: "FP32" | "FP64", count: number, parts: readonly Buffer[]): NumericData {
  const pieces: Buffer[] = [];
  forEachValue(CONTENTS_FIELD[datatype], parts, (reader, packed) => {
    pieces.push(packed ? reader.rest() : reader.fixed(elementSize(datatype)));
  });
  if (pieces.length === 1 && pieces[0] !== undefined) return viewNumeric(datatype, pieces[0]);
  const data = allocateNumeric(datatype, count);
  const bytes = bytesOf(data);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return data;
}

function fillIntegers(spec: TensorSpec, data: NumericData, field: number, parts: readonly Buffer[]): void {
  const store = storeFor(spec, data);
  let index = 0;
  forEachValue(field, parts, (reader, packed) => {
    if (!packed) {
      reader.varint();
      store(reader, index++);
      return;
    }
    while (reader.hasMore()) {
      reader.varint();
      store(reader, index++);
    }
  });
}

type Store = (reader: ProtobufReader, index: number) => void;

/** Puts the number that was read at its place. `int32` and `uint32` are the lower half of what is on the wire. */
function storeFor({ name, datatype }: TensorSpec, data: NumericData): Store {
  switch (datatype) {
    case "BOOL":
      return (reader, index) => {
        data[index] = reader.low !== 0 || reader.high !== 0 ? 1 : 0;
      };
    case "INT64":
    case "UINT64": {
      const halves = new Uint32Array(data.buffer, data.byteOffset, data.length * 2);
      return (reader, index) => {
        halves[index * 2] = reader.low;
        halves[index * 2 + 1] = reader.high;
      };
    }
    case "INT32":
    case "UINT32":
      return (reader, index) => {
        data[index] = reader.low;
      };
    default: {
      const [least, most] = RANGES[datatype] as readonly [number, number];
      return (reader, index) => {
        const value = least < 0 ? reader.low | 0 : reader.low;
        if (value < least || value > most) {
          const expected = `a whole number from ${least} to ${most}`;
          throw badRequest(`input '${name}': element ${index} is another number, ${datatype} needs ${expected}`);
        }
        data[index] = value;
      };
    }
  }
}

function readTexts(name: string, parts: readonly Buffer[]): string[] {
  const texts: string[] = [];
  forEachValue(CONTENTS_FIELD.BYTES, parts, (reader) => {
    texts.push(textOf(name, texts.length, reader.rest()));
  });
  return texts;
}

/** Calls back for each occurrence of the field, inside it when it has a length. */
function forEachValue(
  field: number,
  parts: readonly Buffer[],
  read: (reader: ProtobufReader, delimited: boolean) => void,
): void {
  for (const part of parts) {
    const reader = new ProtobufReader(part);
    while (reader.next()) {
      if (reader.field !== field) reader.skip();
      else if (reader.wire === WIRE.delimited) {
        const outer = reader.enter();
        read(reader, true);
        reader.leave(outer);
      } else read(reader, false);
    }
  }
}

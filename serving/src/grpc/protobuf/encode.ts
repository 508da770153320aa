import { WIRE } from "./reader.ts";
import type { FieldSchema, MessageSchema, MessageValue } from "./schema.ts";
import { delimitedSize, ProtobufWriter, varintSize } from "./writer.ts";

/**
 * Writes a message from its value in the JSON mapping of protocol buffers. Keys that the schema lacks are left out, so are
 * fields with their default value; whole numbers are rounded.
 *
 * @throws TypeError when a value is not of its field's type
 */
export function encode({ name, fields }: MessageSchema, value: object): Buffer {
  const parts: Buffer[] = [];
  for (const [key, field] of Object.entries(fields)) {
    const held = (value as MessageValue)[key];
    if (held !== undefined) encodeField(parts, `${name}.${key}`, field, held);
  }
  return Buffer.concat(parts);
}

function encodeField(parts: Buffer[], path: string, field: FieldSchema, value: unknown): void {
  if (field.label === undefined) {
    const bytes = encodeValue(path, field, value);
    // Proto3 leaves defaults out; within a oneof the field's presence says which one was chosen.
    if (bytes !== undefined && (field.oneof !== undefined || !isDefault(field, value))) parts.push(bytes);
  } else if (field.label === "repeated") {
    if (!Array.isArray(value)) throw new TypeError(`${path} is no array`);
    if (isPacked(field)) encodePacked(parts, path, field, value as unknown[]);
    else for (const element of value as unknown[]) parts.push(encodeValue(path, field, element));
  } else {
    for (const [key, entry] of Object.entries(value as MessageValue)) {
      const bytes = [lengthOf(1, Buffer.from(key)), encodeValue(path, { number: 2, type: field.type }, entry)];
      parts.push(lengthOf(field.number, Buffer.concat(bytes)));
    }
  }
}

function isDefault({ type }: FieldSchema, value: unknown): boolean {
  if (typeof type === "object") return type.kind === "enum" && value === type.values[0];
  return value === 0 || value === "" || value === false;
}

function isPacked({ type }: FieldSchema): boolean {
  return type !== "string" && type !== "bytes" && (typeof type === "string" || type.kind === "enum");
}

function encodePacked(parts: Buffer[], path: string, field: FieldSchema, values: readonly unknown[]): void {
  if (values.length === 0) return;
  const bytes = Buffer.concat(values.map((value) => encodeNumber(path, field, value)));
  parts.push(lengthOf(field.number, bytes));
}

function encodeValue(path: string, field: FieldSchema, value: unknown): Buffer {
  const { number, type } = field;
  if (typeof type === "object" && type.kind === "message") {
    if (typeof value !== "object" || value === null) throw new TypeError(`${path} is no object`);
    return lengthOf(number, encode(type, value));
  }
  if (type === "bytes" || type === "string") {
    if (type === "string" ? typeof value !== "string" : !(value instanceof Uint8Array)) {
      throw new TypeError(`${path} is no ${type}`);
    }
    return lengthOf(number, Buffer.from(value as Uint8Array));
  }
  const tag = new ProtobufWriter(varintSize(number << 3));
  tag.tag(number, type === "double" ? WIRE.fixed64 : WIRE.varint);
  return Buffer.concat([tag.bytes, encodeNumber(path, field, value)]);
}

function encodeNumber(path: string, { type }: FieldSchema, value: unknown): Buffer {
  const number = typeof type === "object" && type.kind === "enum" ? type.values.indexOf(String(value)) : Number(value);
  if (Number.isNaN(number) || (typeof type === "object" && number < 0)) {
    throw new TypeError(`${path} cannot hold ${JSON.stringify(value)}`);
  }
  if (type === "double") {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(number);
    return bytes;
  }
  const whole = Math.round(number);
  const writer = new ProtobufWriter(varintSize(whole));
  writer.varint(whole);
  return writer.bytes;
}

function lengthOf(field: number, bytes: Buffer): Buffer {
  const writer = new ProtobufWriter(delimitedSize(bytes.length) - 1 + varintSize(field << 3));
  writer.delimited(field, bytes);
  return writer.bytes;
}

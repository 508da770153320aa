/**
 * As much of the protocol buffers encoding as the two messages of an inference need.
 * https://protobuf.dev/programming-guides/encoding/
 */

/** A field of wire type 2: a string, bytes, a message or packed numbers. */
export function lengthDelimited(field: number, ...parts: readonly (Buffer | string)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
  return Buffer.concat([varint((field << 3) | 2), varint(body.length), body]);
}

/** A packed field of non-negative whole numbers. */
export function packedVarints(field: number, values: readonly number[]): Buffer {
  return lengthDelimited(field, ...values.map(varint));
}

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** The fields of a message by number, in order: bytes of wire type 2, numbers of wire type 0; fixed ones as bytes. */
export type Fields = ReadonlyMap<number, readonly (Buffer | number)[]>;

/** @throws RangeError when the bytes are no message. */
export function readFields(message: Buffer): Fields {
  const fields = new Map<number, (Buffer | number)[]>();
  let at = 0;
  const number = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = message.readUInt8(at++);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number) => {
    if (at + length > message.length) throw new RangeError("a field is longer than its message");
    at += length;
    return message.subarray(at - length, at);
  };
  const readers: Readonly<Record<number, () => Buffer | number>> = {
    0: number,
    1: () => take(8),
    2: () => take(number()),
    5: () => take(4),
  };
  while (at < message.length) {
    const tag = number();
    const read = readers[tag & 7];
    if (read === undefined) throw new RangeError(`unknown wire type ${tag & 7}`);
    const values = fields.get(tag >> 3) ?? [];
    fields.set(tag >> 3, values);
    values.push(read());
  }
  return fields;
}

/** The messages, strings or bytes of a field. */
export function buffersOf(fields: Fields, field: number): Buffer[] {
  return (fields.get(field) ?? []).filter((value) => Buffer.isBuffer(value));
}

/** The whole numbers of a field, packed or not. */
export function numbersOf(fields: Fields, field: number): number[] {
  return (fields.get(field) ?? []).flatMap((value) => (Buffer.isBuffer(value) ? varintsIn(value) : [value]));
}

function varintsIn(packed: Buffer): number[] {
  const values: number[] = [];
  let value = 0;
  let scale = 1;
  for (const byte of packed) {
    value += (byte & 0x7f) * scale;
    scale *= 0x80;
    if (byte >= 0x80) continue;
    values.push(value);
    value = 0;
    scale = 1;
  }
  return values;
}

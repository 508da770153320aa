/** The wire format of protocol buffers. https://protobuf.dev/programming-guides/encoding/ */
import { isUtf8 } from "node:buffer";
import { badRequest, type ProtocolError } from "../../protocol/error.ts";

/** How a field's value is written. */
export const WIRE = { varint: 0, fixed64: 1, delimited: 2, group: 3, groupEnd: 4, fixed32: 5 } as const;

/** Groups, which the protocol has none of, are passed over; this bounds how deep. */
const MAX_GROUP_DEPTH = 32;
const REPLACEMENT = "\ufffd";

/**
 * Reads one message, field by field: `while (reader.next()) switch (reader.field) …`. Every length is checked against the
 * bytes that are there.
 *
 * @throws ProtocolError (400) from each of its methods when the bytes are no such message
 */
export class ProtobufReader {
  readonly bytes: Buffer;
  /** Number of the field that {@link next} found. */
  field = 0;
  /** Its wire type. */
  wire = 0;
  /** Lower and upper half of the last varint, unsigned. */
  low = 0;
  high = 0;
  #at: number;
  #end: number;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.#at = 0;
    this.#end = bytes.length;
  }

  /** Goes to the next field; false at the end of the message. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    this.varint();
    this.field = this.low >>> 3;
    this.wire = this.low & 7;
    // Field numbers have 29 bits, so a tag never has an upper half.
    if (this.field === 0 || this.high !== 0) throw this.malformed("a field has no valid number");
    return true;
  }

  /** Bytes are left in the message, or in what {@link enter} opened. */
  hasMore(): boolean {
    return this.#at < this.#end;
  }

  /** Passes over the value of the field. */
  skip(): void {
    this.#skip(0);
  }

  /** @throws ProtocolError (400) when the field's value is not written as its type is */
  expect(wire: number): void {
    if (this.wire !== wire) throw this.malformed(`field ${this.field} has wire type ${this.wire}, expected ${wire}`);
  }

  /** Goes into the message (or packed list) that is the field's value. Returns what {@link leave} needs. */
  enter(): number {
    this.expect(WIRE.delimited);
    const length = this.#length();
    const outer = this.#end;
    this.#end = this.#at + length;
    return outer;
  }

  /** Goes back to the message around. */
  leave(outer: number): void {
    this.#at = this.#end;
    this.#end = outer;
  }

  /** A `bytes` field: a view. */
  view(): Buffer {
    this.expect(WIRE.delimited);
    const length = this.#length();
    const start = this.#at;
    this.#at += length;
    return this.bytes.subarray(start, this.#at);
  }

  /** A `string` field. */
  text(): string {
    this.expect(WIRE.delimited);
    const length = this.#length();
    const start = this.#at;
    this.#at += length;
    const text = this.bytes.toString("utf8", start, this.#at);
    if (text.includes(REPLACEMENT) && !isUtf8(this.bytes.subarray(start, this.#at))) {
      throw this.malformed(`field ${this.field} is not valid UTF-8`);
    }
    return text;
  }

  /** A `bool` field. */
  bool(): boolean {
    this.expect(WIRE.varint);
    this.varint();
    return this.low !== 0 || this.high !== 0;
  }

  /** A `double` field. */
  double(): number {
    this.expect(WIRE.fixed64);
    return this.bytes.readDoubleLE(this.#take(8));
  }

  /** An `int64` field, rounded to a double beyond 2^53. */
  int64(): number {
    this.expect(WIRE.varint);
    return this.varintInt64();
  }

  /** A varint as `int64`, rounded to a double beyond 2^53: an element of a packed list. */
  varintInt64(): number {
    this.varint();
    return (this.high | 0) * 2 ** 32 + this.low;
  }

  /** The next varint, into {@link low} and {@link high}. */
  varint(): void {
    const { bytes } = this;
    const first = this.#at < this.#end ? (bytes[this.#at] as number) : 0x80;
    if (first < 0x80) {
      this.#at++;
      this.low = first;
      this.high = 0;
    } else this.#longVarint();
  }

  /** Bytes of the field's fixed-size value, as a view. */
  fixed(size: number): Buffer {
    const start = this.#take(size);
    return this.bytes.subarray(start, start + size);
  }

  /** What is left of the packed list or message, as a view; goes to its end. */
  rest(): Buffer {
    const start = this.#at;
    this.#at = this.#end;
    return this.bytes.subarray(start, this.#end);
  }

  malformed(fault: string): ProtocolError {
    return badRequest(`the message is malformed near byte ${this.#at}: ${fault}`);
  }

  #longVarint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= this.#end) throw this.malformed("it ends within a number");
      const byte = this.bytes[this.#at++] as number;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
    throw this.malformed("a number has more than 10 bytes");
  }

  #length(): number {
    this.varint();
    const left = this.#end - this.#at;
    if (this.high !== 0 || this.low > left) {
      throw this.malformed(`field ${this.field} claims ${this.high * 2 ** 32 + this.low} bytes, but ${left} follow`);
    }
    return this.low;
  }

  /** Where the next `size` bytes start. */
  #take(size: number): number {
    const start = this.#at;
    if (size > this.#end - start) throw this.malformed(`field ${this.field} needs ${size} bytes, but the message ends`);
    this.#at = start + size;
    return start;
  }

  #skip(depth: number): void {
    switch (this.wire) {
      case WIRE.varint:
        this.varint();
        return;
      case WIRE.fixed64:
        this.#take(8);
        return;
      case WIRE.delimited:
        this.#take(this.#length());
        return;
      case WIRE.fixed32:
        this.#take(4);
        return;
      case WIRE.group:
        this.#skipGroup(depth + 1);
        return;
      default:
        throw this.malformed(`field ${this.field} has wire type ${this.wire}, which there is not`);
    }
  }

  #skipGroup(depth: number): void {
    if (depth > MAX_GROUP_DEPTH) throw this.malformed("its groups are nested too deeply");
    const opened = this.field;
    while (this.next()) {
      if (this.wire !== WIRE.groupEnd) this.#skip(depth);
      else if (this.field === opened) return;
      else throw this.malformed("a group ends that was not open");
    }
    throw this.malformed("it ends within a group");
  }
}

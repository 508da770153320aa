/** The wire format of protocol buffers. https://protobuf.dev/programming-guides/encoding/ */
import { WIRE } from "./reader.ts";

const TWO_32 = 2 ** 32;
/** A negative `int32` or `int64` is written as 64 bits. */
const NEGATIVE_SIZE = 10;

/** Bytes of a whole number as a varint. */
export function varintSize(value: number): number {
  if (value < 0) return NEGATIVE_SIZE;
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++;
  return size;
}

/** Bytes of a field that is `length` bytes long and has a number below 16. */
export function delimitedSize(length: number): number {
  return 1 + varintSize(length) + length;
}

/** Writes into a buffer that is as large as what is written. */
export class ProtobufWriter {
  readonly bytes: Buffer;
  #at = 0;

  constructor(size: number) {
    // Not zeroed: whoever makes it writes every byte.
    this.bytes = Buffer.allocUnsafe(size);
  }

  tag(field: number, wire: number): void {
    this.varint((field << 3) | wire);
  }

  /** @param value a whole number; one below 0 as two's complement of 64 bits */
  varint(value: number): void {
    if (value >= 0 && value < 0x80) this.bytes[this.#at++] = value;
    else if (value >= 0 && value < TWO_32) this.varint64(value >>> 0, 0);
    else this.varint64(value >>> 0, Math.floor(value / TWO_32) >>> 0);
  }

  /** 64 bits in two halves, unsigned. */
  varint64(low: number, high: number): void {
    let lower = low;
    let upper = high;
    while (upper !== 0 || lower > 0x7f) {
      this.bytes[this.#at++] = (lower & 0x7f) | 0x80;
      lower = ((lower >>> 7) | (upper << 25)) >>> 0;
      upper >>>= 7;
    }
    this.bytes[this.#at++] = lower;
  }

  /** The tag and the length of a field that is `length` bytes long. */
  head(field: number, length: number): void {
    this.tag(field, WIRE.delimited);
    this.varint(length);
  }

  delimited(field: number, bytes: Uint8Array): void {
    this.head(field, bytes.byteLength);
    this.raw(bytes);
  }

  /** @param length of the text in UTF-8 */
  text(field: number, text: string, length: number): void {
    this.head(field, length);
    this.#at += this.bytes.write(text, this.#at, length, "utf8");
  }

  raw(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.#at);
    this.#at += bytes.byteLength;
  }

  double(value: number): void {
    this.#at = this.bytes.writeDoubleLE(value, this.#at);
  }
}

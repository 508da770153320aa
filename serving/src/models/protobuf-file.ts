import type { FileHandle } from "node:fs/promises";

/** A file is no protocol buffer, or its end is missing; the message says where. */
export class ProtobufFault extends Error {
  override readonly name = "ProtobufFault";
}

/** One field of a message: where its content lies, when it has a length. */
export interface Field {
  readonly number: number;
  /** First byte of the content, and the first one after it; the same when the field is a plain number. */
  readonly start: number;
  readonly end: number;
}

const WINDOW_BYTES = 64 * 1024;
/** A tag and a length, ten bytes each at most. */
const HEAD_BYTES = 20;

/**
 * Reads a protocol buffer of any size from its file through a small window, so that what is skipped is not read.
 * https://protobuf.dev/programming-guides/encoding/
 */
export class ProtobufFile {
  readonly size: number;
  readonly #file: FileHandle;
  #window: Buffer = Buffer.alloc(0);
  #windowStart = 0;
  #position = 0;

  constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.size = size;
  }

  /** Makes sure that {@link readField} at this place finds the field's head in memory. Undefined when it is there already. */
  prepare(position: number): Promise<void> | undefined {
    const needed = Math.min(position + HEAD_BYTES, this.size);
    const isThere = position >= this.#windowStart && needed <= this.#windowStart + this.#window.length;
    return isThere ? undefined : this.#load(position);
  }

  /**
   * The field that begins at a place that was prepared.
   *
   * @param limit where the message around it ends
   * @throws ProtobufFault when there is none that ends before the limit
   */
  readField(position: number, limit: number): Field {
    this.#position = position;
    const tag = this.#varint();
    const number = Math.floor(tag / 8);
    const start = this.#endOfHead(tag % 8);
    const end = this.#position;
    // Other readers take the lowest 32 bits of a tag, and would find another field than this one.
    if (number === 0 || tag >= 2 ** 32 || end > limit) throw malformed(position);
    return { number, start, end };
  }

  /**
   * The bytes from `start` to before `end`.
   *
   * @throws ProtobufFault when the file ends before
   */
  async read(start: number, end: number): Promise<Buffer> {
    const offset = start - this.#windowStart;
    if (offset >= 0 && end <= this.#windowStart + this.#window.length) {
      return this.#window.subarray(offset, end - this.#windowStart);
    }
    const bytes = Buffer.allocUnsafe(end - start);
    const { bytesRead } = await this.#file.read(bytes, 0, bytes.length, start);
    if (bytesRead < bytes.length) throw malformed(start);
    return bytes;
  }

  async #load(position: number): Promise<void> {
    const length = Math.min(WINDOW_BYTES, this.size - position);
    this.#window = await this.read(position, position + length);
    this.#windowStart = position;
  }

  /** Moves behind the content of a field of this wire type. @returns where the content begins */
  #endOfHead(wireType: number): number {
    switch (wireType) {
      case 0:
        this.#varint();
        return this.#position;
      case 1:
        this.#position += 8;
        return this.#position;
      case 2: {
        const length = this.#varint();
        const start = this.#position;
        this.#position += length;
        return start;
      }
      case 5:
        this.#position += 4;
        return this.#position;
      default:
        // Groups (3 and 4) are no part of ONNX.
        throw malformed(this.#position);
    }
  }

  /** Lengths above 2^53 lose bits: they lie behind the end of any file all the same. */
  #varint(): number {
    let value = 0;
    for (let index = 0; index < 10; index++) {
      const byte = this.#window[this.#position - this.#windowStart];
      if (byte === undefined) throw malformed(this.#position);
      this.#position++;
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    throw malformed(this.#position);
  }
}

function malformed(position: number): ProtobufFault {
  return new ProtobufFault(`it is no ONNX file, or not the whole of one (byte ${position})`);
}

/** Bodies from this size on are read into memory that is kept: to get so much anew costs more than to fill it. */
const KEPT_FROM = 64 * 1024;
/** Memory comes in multiples of this, so that bodies of nearly one size use the same. */
const GRAIN = 64 * 1024;
/** Kept at most, in bytes. */
const MOST_KEPT = 16 * 1024 * 1024;

/**
 * Memory for bodies that arrive. What is given back is used again by later requests: so nothing of a request may still look
 * at it then. The system zeroes each page of new memory, which for an image-sized tensor takes longer than the model.
 */
export class BodyMemory {
  #free: ArrayBuffer[] = [];
  #kept = 0;
  /** Bytes that were not needed since the last look. */
  #unused = 0;

  /**
   * Memory that holds whatever it held before.
   *
   * @param offset where in its memory the body starts
   */
  take(length: number, offset: number): Buffer {
    const size = offset + length;
    if (size < KEPT_FROM) return Buffer.allocUnsafeSlow(size).subarray(offset);
    const capacity = Math.ceil(size / GRAIN) * GRAIN;
    const index = this.#free.findLastIndex(({ byteLength }) => byteLength === capacity);
    if (index === -1) return Buffer.allocUnsafeSlow(capacity).subarray(offset, size);
    const [memory] = this.#free.splice(index, 1) as [ArrayBuffer];
    this.#kept -= capacity;
    this.#unused = Math.min(this.#unused, this.#kept);
    return Buffer.from(memory, offset, length);
  }

  /** Gives a body's memory back; nobody looks at it any more. Memory that was moved to another thread is gone. */
  give({ buffer }: Buffer): void {
    const { byteLength } = buffer;
    if (byteLength < KEPT_FROM || byteLength % GRAIN !== 0 || byteLength > MOST_KEPT) return;
    // What comes now is likelier to come again than what was given back long ago.
    while (this.#kept + byteLength > MOST_KEPT) this.#dropOldest();
    this.#free.push(buffer as ArrayBuffer);
    this.#kept += byteLength;
  }

  /** Frees what was not needed since the last time. To be called every few seconds. */
  trim(): void {
    // What was given back last is taken first: what is at the front was not needed.
    while (this.#free.length > 0 && this.#unused >= (this.#free[0] as ArrayBuffer).byteLength) this.#dropOldest();
    this.#unused = this.#kept;
  }

  /** Bytes that wait to be used again. */
  get kept(): number {
    return this.#kept;
  }

  #dropOldest(): void {
    const { byteLength } = this.#free.shift() as ArrayBuffer;
    this.#kept -= byteLength;
    this.#unused = Math.max(0, this.#unused - byteLength);
  }
}

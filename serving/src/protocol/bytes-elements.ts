import { ProtocolError } from "./error.ts";

/**
 * What an element takes while it is read, waits, is copied to a worker, runs and is written, its characters apart: measured
 * with up to a million empty ones. Bytes.
 */
const ELEMENT_BYTES = 200;
/** The part of the memory limit that elements of all requests may take together. */
const MEMORY_PART = 1 / 8;
/** More together would hold up the event loop for long where they become one batch. */
const MOST_HELD = 1_000_000;

/**
 * The elements of BYTES tensors that requests hold. Limits of bytes do not bound them: an empty element takes two to four
 * bytes on the wire, next to nothing compressed, and {@link ELEMENT_BYTES} in memory.
 */
export class BytesElements {
  readonly #most: number;
  readonly #mostHeld: number;
  #held = 0;

  /**
   * @param most elements that one request may hold
   * @param memoryBytes what the process may use
   */
  constructor(most: number, memoryBytes: number) {
    this.#most = most;
    this.#mostHeld = Math.max(most, Math.min(MOST_HELD, Math.floor((memoryBytes * MEMORY_PART) / ELEMENT_BYTES)));
  }

  /** Counts those of a request. `release()` it once it is answered. */
  request(): RequestElements {
    let total = 0;
    let counted = 0;
    return {
      take: (count) => {
        total += count;
        if (total > this.#most) throw tooMany(total, this.#most);
        if (this.#held + count > this.#mostHeld) throw new ProtocolError(503, OUT_OF_ELEMENTS, { "retry-after": "1" });
        this.#held += count;
        counted += count;
      },
      release: () => {
        this.#held -= counted;
        counted = 0;
      },
    };
  }
}

/** The BYTES elements of one request. */
export interface RequestElements {
  /**
   * To be asked before the strings of an input are made.
   *
   * @throws ProtocolError 413 when the request holds too many, 503 when all requests together do
   */
  take(count: number): void;
  /** Gives back what was taken. */
  release(): void;
}

/** Said when requests together hold as many as they may. */
const OUT_OF_ELEMENTS = "the server holds as many BYTES elements as its memory allows: try again";

function tooMany(count: number, most: number): ProtocolError {
  return new ProtocolError(
    413,
    `the request's BYTES inputs hold ${count} elements, more than ${most}, the limit of this server ` +
      "(--max-bytes-elements): send them in several requests",
  );
}

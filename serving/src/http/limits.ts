/** What clients may ask of the transport. */
export interface HttpLimits {
  /** Largest body, also after decompression. */
  readonly maxBodyBytes: number;
  readonly maxHeaderBytes: number;
  /** Bodies of all requests together that are held at one time. */
  readonly maxHeldBytes: number;
  /** How long the headers of a request may take to arrive, and all of it. Milliseconds. */
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** How long a connection is kept on which nothing moves: without a request, or with an answer that is not read. */
  readonly keepAliveMs: number;
}

export const DEFAULT_TIMEOUTS = {
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 60_000,
  // Longer than the idle timeout of common load balancers (60 s), so that they, not we, end an idle connection.
  keepAliveMs: 75_000,
} as const;

/** Bodies smaller than this are not counted: a connection may hold as much in any case. */
const COUNTED_FROM = 64 * 1024;

/** Memory that bodies take: many clients that each stay within the limit must not take the server down together. */
export class BodyBudget {
  readonly #most: number;
  #held = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether a body of this size may be held; if so, `give` it back. */
  take(bytes: number): boolean {
    if (bytes < COUNTED_FROM) return true;
    // One alone always fits: the limit for one body is another.
    if (this.#held > 0 && this.#held + bytes > this.#most) return false;
    this.#held += bytes;
    return true;
  }

  give(bytes: number): void {
    if (bytes >= COUNTED_FROM) this.#held -= bytes;
  }
}

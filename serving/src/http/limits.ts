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

/** A client that reads its answer more slowly than this for long is let go. */
export const LEAST_BYTES_PER_MS = 16;

/**
 * Memory that bodies and messages take: many clients that each stay within the limit must not take the server down
 * together. What has arrived counts, not what is announced: that costs a client nothing.
 */
export class BodyBudget {
  readonly #most: number;
  #held = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether these bytes may be held too; if so, `give` them back. One alone always may: its limit is another. */
  take(bytes: number): boolean {
    if (this.#held > 0 && this.#held + bytes > this.#most) return false;
    this.#held += bytes;
    return true;
  }

  /** Counts bytes that are there, whether they may be or not; `give` them back. */
  add(bytes: number): void {
    this.#held += bytes;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }
}

/** What one request takes of a budget. */
export class BudgetShare {
  readonly #budget: BodyBudget;
  #bytes = 0;
  #released = false;

  constructor(budget: BodyBudget) {
    this.#budget = budget;
  }

  /** Whether these bytes may be held too: none once it is released, for nobody would give them back. */
  take(bytes: number): boolean {
    if (this.#released || !this.#budget.take(bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  /** Gives everything back. */
  release(): void {
    this.#released = true;
    this.#budget.give(this.#bytes);
    this.#bytes = 0;
  }
}

/** Said when the budget is spent. */
export const OUT_OF_MEMORY = "the server holds as many request bodies as its memory allows: try again";

import { setTimeout as sleep } from "node:timers/promises";

export interface DrainTimes {
  /** How long new requests are still answered. */
  readonly stillAnswerMs: number;
  /** How long requests in flight may take after that. */
  readonly inFlightMs: number;
}

/** What is drained. */
export interface Drainable {
  /** Stops listening; resolves when everything in flight is answered. */
  drain(): Promise<void>;
  /** Ends all connections at once. */
  destroy(): void;
}

/**
 * Ends a server without refusing anybody: it goes on answering for a while, so that whoever routes traffic here can
 * learn that readiness is gone; then it stops listening, and requests in flight are answered.
 *
 * @throws Error when requests were still in flight at the end; their connections are closed
 */
export async function drain(listeners: Drainable, { stillAnswerMs, inFlightMs }: DrainTimes): Promise<void> {
  await sleep(stillAnswerMs);
  const limit = new AbortController();
  const late = sleep(inFlightMs, "late", { signal: limit.signal }).catch(() => undefined);
  const outcome = await Promise.race([listeners.drain(), late]);
  limit.abort();
  listeners.destroy();
  if (outcome === "late") {
    throw new Error(`requests were still in flight ${inFlightMs / 1000} s after the server stopped listening`);
  }
}

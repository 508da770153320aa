import type { Expectation } from "./oracle.ts";

/** What is sent on one connection, and what may come back. */
export interface RestCase {
  /** What was done to a valid request. */
  readonly label: string;
  /** Bytes, and pauses in milliseconds. */
  readonly pieces: readonly (Buffer | number)[];
  /** How the client goes on: it waits for the answers, ends its side, or resets the connection and takes none. */
  readonly ending: "waits" | "ends" | "resets";
  /** One for each answer that is due, in their order. */
  readonly answers: readonly Expectation[];
  /** What comes after them is refused, if it is answered at all. */
  readonly rest?: boolean;
  /** The client asked to be told to go on before it sends its body. */
  readonly continues?: boolean;
}

/** A case in which a client sends these bytes and gets one answer. */
export function oneAnswer(label: string, bytes: Buffer, answer: Expectation, more: Partial<RestCase> = {}): RestCase {
  return { label, pieces: [bytes], ending: "waits", answers: [answer], ...more };
}

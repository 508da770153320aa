import type { Cancellation } from "../execution/cancellation.ts";

/** What is known of a request once its headers are read. */
export interface RequestHead {
  readonly method: string;
  /** Path and query, as sent. */
  readonly target: string;
  /** A header's value by its lower-case name. */
  header(name: string): string | undefined;
}

/** A request that has arrived whole. */
export interface WholeRequest {
  readonly head: RequestHead;
  /** Decompressed. Once it is answered with 200, its memory serves other requests: nobody may look at it any more. */
  readonly body: Buffer;
  /** Cancelled when the connection ends before the answer. */
  readonly cancellation: Cancellation;
}

export interface Answer {
  readonly status: number;
  /** Of a refusal: what was wrong, for the log. */
  readonly reason?: string;
  readonly contentType: string;
  /** Further headers. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** ASCII text, or bytes, or one after the other. */
  readonly body: string | Uint8Array | readonly (string | Uint8Array)[];
}

/** Answers a request whose head was admitted. Rejects with `Cancelled` when nobody waits for an answer any more. */
export type Answering = (request: WholeRequest) => Promise<Answer>;

/** What a server's requests are answered by. */
export interface Handler {
  /**
   * Looks at a request's head, before its body is read: either how it is answered, or the refusal.
   */
  admit(head: RequestHead): Answering | Answer;
  /** A request was answered by the transport: it, or `admit`, refused it. Called once, when that is certain. */
  refused(head: RequestHead, answer: Answer): void;
  /** Whether connections are kept after an answer. */
  keepsConnections(): boolean;
}

/** A refusal that the transport itself makes, in the protocol's form. */
export function refusal(status: number, message: string, headers?: Readonly<Record<string, string>>): Answer {
  return {
    status,
    reason: message,
    contentType: "application/json",
    headers,
    body: Buffer.from(JSON.stringify({ error: message })),
  };
}

/** Length of an answer's body in bytes. */
export function bodyLength({ body }: Answer): number {
  if (typeof body === "string" || body instanceof Uint8Array) return body.length;
  let length = 0;
  for (const part of body) length += part.length;
  return length;
}

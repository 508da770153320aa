import { type Metadata, type ServerInterceptingCallInterface, type ServerInterceptor, status } from "@grpc/grpc-js";
import { type BodyBudget, OUT_OF_MEMORY } from "../http/limits.ts";
import { NO_TOKEN } from "./call.ts";
import { Sweeper } from "./sweeper.ts";

/** How often calls are looked through whose requests have not arrived. */
const SWEEP_MS = 100;

/**
 * What the library knows of a call. Not part of its interface, so a test goes through it: to learn it by an interceptor of
 * the usual kind takes an eighth of the calls a second.
 */
interface ArrivingCall extends ServerInterceptingCallInterface {
  /** The client has sent all that it will. */
  readonly receivedHalfClose?: boolean;
  readonly cancelled?: boolean;
  readonly metadata?: Metadata;
  readonly incomingEncoding?: string;
  decompressMessage?: (message: Buffer, encoding: string) => Promise<Buffer> | Buffer;
  readonly decoder?: {
    /** Bytes that the message will have, 0 until that is known. */
    readonly readMessageSize?: number;
    /** Bytes of it that have not arrived. */
    readonly readMessageRemaining?: number;
    /** What has arrived of it: another array for each message. */
    readonly readPartialMessage?: readonly unknown[];
  };
}

/** A message that has not arrived whole. */
interface Arrival {
  /** On `performance.now()`. */
  since: number;
  /** Bytes taken out of the budget: those that have arrived. */
  bytes: number;
  /** Of a stream of requests: which message it is. */
  message?: readonly unknown[] | undefined;
}

/**
 * Messages that have not arrived whole. What a client has sent of one is held for as long as its connection lives: so there
 * is a limit to the time it may take, and to the memory of all of them. Between two messages, streams of requests may be
 * silent as long as they like.
 */
export class Arrivals {
  /** Calls of this turn of the event loop: nearly all arrive whole within it. */
  #fresh: ArrivingCall[] = [];
  /** Those that did not. */
  readonly #waiting = new Map<ArrivingCall, Arrival>();
  /** Streams of requests that are open. */
  readonly #streams = new Map<ArrivingCall, Arrival>();
  readonly #limitMs: number;
  readonly #budget: BodyBudget;
  readonly #isAuthorized: (metadata: Metadata) => boolean;
  readonly #sweeper = new Sweeper(
    SWEEP_MS,
    () => this.#sweep(),
    () => this.#waiting.size + this.#streams.size > 0,
  );
  /** Settled when every message so far is decompressed. */
  #decompressed: Promise<unknown> = Promise.resolve();

  /**
   * @param limitMs how long a request may take to arrive
   * @param budget for the messages that arrive
   * @param isAuthorized whether whoever sends this may send large messages
   */
  constructor(limitMs: number, budget: BodyBudget, isAuthorized: (metadata: Metadata) => boolean) {
    this.#limitMs = limitMs;
    this.#budget = budget;
    this.#isAuthorized = isAuthorized;
  }

  readonly interceptor: ServerInterceptor = ({ requestStream }, call) => {
    if ((call as ArrivingCall).incomingEncoding !== "identity") this.#decompressInTurn(call);
    if (requestStream) {
      this.#streams.set(call, { since: 0, bytes: 0 });
      this.#sweeper.wake();
    } else if (this.#fresh.push(call) === 1) setImmediate(this.#endTurn);
    return call as ReturnType<ServerInterceptor>;
  };

  close(): void {
    this.#sweeper.close();
  }

  readonly #endTurn = (): void => {
    const since = performance.now();
    for (const call of this.#fresh) {
      if (!isArriving(call)) continue;
      const arrival = { since, bytes: 0 };
      this.#waiting.set(call, arrival);
      this.#look(call, arrival, since);
    }
    this.#fresh = [];
    this.#sweeper.wake();
  };

  #sweep(): void {
    const now = performance.now();
    for (const [call, arrival] of this.#waiting) this.#look(call, arrival, now);
    for (const [call, arrival] of this.#streams) this.#lookAtStream(call, arrival, now);
  }

  /** Each message of a stream arrives like a request of its own. */
  #lookAtStream(call: ArrivingCall, arrival: Arrival, now: number): void {
    const { readMessageRemaining = 0, readPartialMessage } = call.decoder ?? {};
    const message = readMessageRemaining > 0 ? readPartialMessage : undefined;
    if (message !== arrival.message) {
      this.#budget.give(arrival.bytes);
      Object.assign(arrival, { since: now, bytes: 0, message });
    }
    if (message !== undefined || !isArriving(call)) this.#look(call, arrival, now);
  }

  #look(call: ArrivingCall, arrival: Arrival, now: number): void {
    if (!isArriving(call)) {
      this.#leave(call, arrival);
      return;
    }
    if (now - arrival.since >= this.#limitMs) {
      this.#refuse(call, arrival, status.DEADLINE_EXCEEDED, "the request took too long to arrive");
      return;
    }
    const { readMessageSize = 0, readMessageRemaining = 0 } = call.decoder ?? {};
    if (readMessageSize < LARGE) return;
    if (call.metadata !== undefined && !this.#isAuthorized(call.metadata)) {
      this.#refuse(call, arrival, status.UNAUTHENTICATED, NO_TOKEN);
      return;
    }
    // What has arrived, not what is announced: that costs the client nothing.
    const arrived = readMessageSize - readMessageRemaining;
    if (!this.#budget.take(arrived - arrival.bytes)) this.#refuse(call, arrival, status.UNAVAILABLE, OUT_OF_MEMORY);
    else arrival.bytes = arrived;
  }

  /** The library decompresses all messages at once, each to the largest size: a few kilobytes would fill the memory. */
  #decompressInTurn(call: ArrivingCall): void {
    const decompress = call.decompressMessage?.bind(call);
    if (decompress === undefined) return;
    call.decompressMessage = (message, encoding) => {
      const decompressed = this.#decompressed.then(() => decompress(message, encoding));
      this.#decompressed = decompressed.catch(() => undefined);
      return decompressed;
    };
  }

  #refuse(call: ArrivingCall, arrival: Arrival, code: status, details: string): void {
    this.#leave(call, arrival);
    call.sendStatus({ code, details });
  }

  #leave(call: ArrivingCall, { bytes }: Arrival): void {
    this.#waiting.delete(call);
    this.#streams.delete(call);
    this.#budget.give(bytes);
  }
}

/** Messages below this are not looked at one by one: the windows of HTTP/2 alone hold as much. */
const LARGE = 64 * 1024;

function isArriving({ receivedHalfClose, cancelled }: ArrivingCall): boolean {
  return receivedHalfClose === false && cancelled !== true;
}

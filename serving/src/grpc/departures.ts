import { constants, type ServerHttp2Stream } from "node:http2";
import type { ServerInterceptingCallInterface } from "@grpc/grpc-js";
import { type BodyBudget, LEAST_BYTES_PER_MS } from "../http/limits.ts";
import { Sweeper } from "./sweeper.ts";

/** How often answers are looked through that their clients do not read. */
const SWEEP_MS = 100;
/** How long a call that is given up may take to end; then its connection is ended. */
const GRACE_MS = 1_000;

/** What the library knows of a call; not part of its interface, so a test goes through it. */
interface DepartingCall extends ServerInterceptingCallInterface {
  readonly stream?: ServerHttp2Stream;
}

/** An answer that its client has not read. */
interface Departure {
  readonly stream: ServerHttp2Stream;
  readonly bytes: number;
  /** On `performance.now()`; known once it waits. */
  until: number;
  isSent: boolean;
}

/**
 * Answers that are on their way. An answer is held until its client has read it, and a client may read none of a thousand,
 * however small: so they count as held, and there is a limit to the time that one may take.
 */
export class Departures {
  /** Answers of this turn of the event loop: nearly all are sent within it. */
  #fresh: Departure[] = [];
  /** Those that were not. */
  readonly #waiting = new Set<Departure>();
  readonly #limitMs: number;
  readonly #budget: BodyBudget;
  readonly #sweeper = new Sweeper(
    SWEEP_MS,
    () => this.#sweep(),
    () => this.#waiting.size > 0,
  );

  /**
   * @param limitMs how long an answer may lie unread, besides what its size takes
   * @param budget for the requests that wait or run: while answers lie unread, fewer are taken
   */
  constructor(limitMs: number, budget: BodyBudget) {
    this.#limitMs = limitMs;
    this.#budget = budget;
  }

  /** Watches over what a call is answered. */
  watch(call: DepartingCall): void {
    const { stream } = call;
    if (stream === undefined) return;
    const send = call.sendMessage.bind(call);
    call.sendMessage = (message, sent) => {
      const bytes = message instanceof Uint8Array ? message.length : 0;
      const departure = { stream, bytes, until: Number.POSITIVE_INFINITY, isSent: false };
      if (this.#fresh.push(departure) === 1) setImmediate(this.#endTurn);
      send(message, () => {
        departure.isSent = true;
        this.#leave(departure);
        sent();
      });
    };
  }

  close(): void {
    this.#sweeper.close();
  }

  readonly #endTurn = (): void => {
    for (const departure of this.#fresh) {
      if (departure.isSent) continue;
      departure.until = performance.now() + this.#limitMs + departure.bytes / LEAST_BYTES_PER_MS;
      this.#waiting.add(departure);
      this.#budget.add(departure.bytes);
    }
    this.#fresh = [];
    this.#sweeper.wake();
  };

  #sweep(): void {
    const now = performance.now();
    for (const departure of this.#waiting) {
      const { stream, until } = departure;
      // The library tells nobody that an answer could not be sent.
      if (stream.destroyed) this.#leave(departure);
      else if (until >= now) continue;
      else if (stream.closed) stream.session?.destroy();
      else {
        stream.close(constants.NGHTTP2_CANCEL);
        departure.until = now + GRACE_MS;
      }
    }
  }

  #leave(departure: Departure): void {
    if (this.#waiting.delete(departure)) this.#budget.give(departure.bytes);
  }
}

import { constants, type ServerHttp2Stream } from "node:http2";
import type { ServerInterceptingCallInterface } from "@grpc/grpc-js";
import type { BodyBudget } from "../http/limits.ts";

/** How often answers are looked through that their clients do not read. */
const SWEEP_MS = 100;
/** Answers below this fit in the windows of HTTP/2, which every client has. */
const LARGE = 64 * 1024;
/** A client that reads more slowly than this for long is let go. */
const LEAST_BYTES_PER_MS = 16;

/** What the library knows of a call; not part of its interface, so a test goes through it. */
interface DepartingCall extends ServerInterceptingCallInterface {
  readonly cancelled?: boolean;
  readonly stream?: ServerHttp2Stream;
}

/** An answer that its client has not read. */
interface Departure {
  readonly call: DepartingCall;
  readonly bytes: number;
  /** On `performance.now()`. */
  readonly until: number;
}

/**
 * Large answers that are on their way. An answer is held until its client has read it, and a client may read none of a
 * thousand: so they count as held, and there is a limit to the time that one may take.
 */
export class Departures {
  readonly #waiting = new Set<Departure>();
  readonly #limitMs: number;
  readonly #budget: BodyBudget;
  #timer: NodeJS.Timeout | undefined;

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
    const send = call.sendMessage.bind(call);
    call.sendMessage = (message, sent) => {
      const bytes = message instanceof Uint8Array ? message.length : 0;
      if (bytes < LARGE) {
        send(message, sent);
        return;
      }
      const departure = { call, bytes, until: performance.now() + this.#limitMs + bytes / LEAST_BYTES_PER_MS };
      this.#waiting.add(departure);
      this.#budget.add(bytes);
      this.#sweepLater();
      // Where nothing moves on the whole connection it is told sooner.
      call.stream?.setTimeout(this.#limitMs, () => giveUp(call));
      send(message, () => {
        call.stream?.setTimeout(0);
        this.#leave(departure);
        sent();
      });
    };
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #sweepLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const now = performance.now();
      for (const departure of this.#waiting) {
        const { call, until } = departure;
        // The library tells nobody that an answer could not be sent.
        if (call.cancelled === true) this.#leave(departure);
        else if (until < now) giveUp(call);
      }
      if (this.#waiting.size > 0) this.#sweepLater();
    }, SWEEP_MS).unref();
  }

  #leave(departure: Departure): void {
    if (this.#waiting.delete(departure)) this.#budget.give(departure.bytes);
  }
}

function giveUp({ stream }: DepartingCall): void {
  stream?.close(constants.NGHTTP2_CANCEL);
}

import type { Socket } from "node:net";
import { onTestFinished } from "vitest";
import type { Cancellation } from "../src/execution/cancellation.ts";
import { type Answer, type Answering, type Handler, type RequestHead, refusal } from "../src/http/exchange.ts";
import { DEFAULT_TIMEOUTS, type HttpLimits } from "../src/http/limits.ts";
import { HttpListener } from "../src/http/listener.ts";
import { RawClient } from "./raw-client.ts";

const LIMITS: HttpLimits = {
  ...DEFAULT_TIMEOUTS,
  maxBodyBytes: 4_000_000,
  maxHeaderBytes: 4_096,
  maxHeldBytes: 8_000_000,
};

/** A request that waits for the test to let it be answered. */
interface Held {
  readonly target: string;
  readonly cancellation: Cancellation;
  answer(): void;
}

/**
 * A listener whose answers say what was asked: `POST /path hello`. A path that starts with `/held` is answered when the test
 * says so, `/later` a moment later, `/refused` before its body is read, `/large/<n>` with n bytes, `/broken` not at all; for
 * `/moved` the memory of its body is moved away as it is for a worker thread.
 */
export class EchoListener implements Handler {
  readonly listener: HttpListener;
  /** Requests whose head was admitted, in order. */
  readonly admitted: RequestHead[] = [];
  readonly bodies: Buffer[] = [];
  /** Connections as the listener has them, in order. */
  readonly sockets: Socket[] = [];
  readonly held: Held[] = [];
  /** Statuses of what was refused, in order. */
  readonly refusals: number[] = [];
  keeps = true;
  #port = 0;

  private constructor(limits: Partial<HttpLimits>) {
    this.listener = new HttpListener(this, { ...LIMITS, ...limits });
    this.listener.server.on("connection", (socket: Socket) => this.sockets.push(socket));
  }

  /** It is gone after the test. */
  static async start(limits: Partial<HttpLimits> = {}): Promise<EchoListener> {
    const echo = new EchoListener(limits);
    echo.#port = (await echo.listener.listen("127.0.0.1", 0)).port;
    onTestFinished(() => echo.listener.destroy());
    return echo;
  }

  /** Connections that are not closed. */
  connections(): Promise<number> {
    return new Promise((resolve) => this.listener.server.getConnections((_error, count) => resolve(count)));
  }

  connect(): Promise<RawClient> {
    return RawClient.connect(this.#port);
  }

  keepsConnections(): boolean {
    return this.keeps;
  }

  refused(_head: RequestHead, { status }: Answer): void {
    this.refusals.push(status);
  }

  admit(head: RequestHead): Answering | Answer {
    this.admitted.push(head);
    if (head.target.startsWith("/refused")) return refusal(401, "who are you?");
    return async ({ body, cancellation }) => {
      this.bodies.push(body);
      const { method, target } = head;
      if (target.startsWith("/broken")) throw new Error("broken");
      if (target.startsWith("/held")) {
        await new Promise<void>((answer) => this.held.push({ target, cancellation, answer }));
      }
      if (target.startsWith("/later")) await new Promise((resolve) => setTimeout(resolve, 1));
      if (target.startsWith("/moved")) structuredClone(body.buffer, { transfer: [body.buffer as ArrayBuffer] });
      const size = /^\/large\/(\d+)$/.exec(target)?.[1];
      const text = size === undefined ? Buffer.from(`${method} ${target} ${body}`) : Buffer.alloc(Number(size), "x");
      return { status: 200, contentType: "text/plain", body: text };
    };
  }
}

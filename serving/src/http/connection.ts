import type { Socket } from "node:net";
import { Cancellation } from "../execution/cancellation.ts";
import { Arriving, copyOf, offsetOf } from "./arriving.ts";
import type { BodyMemory } from "./body-memory.ts";
import { type Answer, type Answering, type Handler, refusal } from "./exchange.ts";
import { parseHead, type UsualHead } from "./head.ts";
import { type BodyBudget, type HttpLimits, LEAST_BYTES_PER_MS, OUT_OF_MEMORY } from "./limits.ts";
import { readInto } from "./read-into.ts";
import { writeAnswer } from "./write.ts";
import { freeChunks } from "./young-generation.ts";

/** What a connection needs of its server. */
export interface ConnectionHost {
  readonly handler: Handler;
  readonly limits: HttpLimits;
  readonly budget: BodyBudget;
  readonly memory: BodyMemory;
  /** Memory that sockets are read into, one read after the other. */
  readonly shared: Buffer;
  /** Takes over a connection whose next request is not usual, with all of its bytes. */
  readonly handOver: (socket: Socket, bytes: Buffer) => void;
}

/** Bodies of this size become tensors that are moved to worker threads, see `execution/transfer.ts`. */
const MOVED_FROM = 64 * 1024;
const NOTHING = Buffer.alloc(0);
/** How long a request still waits whose client has ended its side. */
const ENDED_MS = 500;

/**
 * One connection, one usual request after the other; everything else goes to Node's HTTP server (see `parseHead`). This is
 * the hot path: Node's own costs 17 µs more for each request, about as much as a small model.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #host: ConnectionHost;
  /** Bytes that arrived and are not yet looked at, or begin a head that is not whole. */
  #rest: Buffer = NOTHING;
  #arriving: Arriving | undefined;
  #last: UsualHead | undefined;
  #lastBytes: Buffer = NOTHING;
  #cancellation: Cancellation | undefined;
  #ended = false;
  /** Nothing more is read from it: its last answer is on its way. */
  #closing = false;
  #handedOver = false;
  /** Bytes of an answer that its client does not read. */
  #unread = 0;
  /** When patience with the client ends, on the clock of `performance.now()`. */
  deadline: number;

  constructor(socket: Socket, host: ConnectionHost) {
    this.#socket = socket;
    this.#host = host;
    this.deadline = performance.now() + host.limits.headersTimeoutMs;
    if (readInto(socket, this)) socket.resume();
    else socket.on("data", this.#onData);
    socket.on("end", this.#onEnd);
    socket.on("close", this.#onClose);
    socket.on("error", ignore);
    // Set only while an answer waits for its client to read on.
    socket.on("timeout", this.#onTimeout);
  }

  /** Whether a request is being read or answered, or an answer is on its way. */
  get isBusy(): boolean {
    return this.#cancellation !== undefined || this.#isReading || this.#closing || this.#socket.writableLength > 0;
  }

  /** The deadline has passed. */
  expire(): void {
    const arriving = this.#arriving;
    if (!this.#isReading || this.#closing || this.#unread > 0) {
      this.#socket.destroy();
      return;
    }
    const answer = refusal(408, "the request took too long to arrive");
    if (arriving !== undefined) this.#host.handler.refused(arriving.head, answer);
    this.#end(answer);
  }

  get #isReading(): boolean {
    return this.#arriving !== undefined || this.#rest.length > 0;
  }

  /** Where the next bytes go: a body's own place, else memory that all connections share. */
  readonly memory = (): Uint8Array => {
    const arriving = this.#arriving;
    return arriving === undefined ? this.#host.shared : arriving.place;
  };

  /** Bytes have come into memory that was given. */
  readonly arrived = (bytes: number, memory: Uint8Array): boolean => {
    const { shared } = this.#host;
    const arriving = this.#arriving;
    // What a client sends after its last request is nobody's.
    if (this.#closing) return true;
    if (memory !== shared) {
      if (arriving !== undefined) this.#filled(arriving, bytes);
      return true;
    }
    const chunk = shared.subarray(0, bytes);
    // Node's server reads it from here on, mostly past this.
    if (this.#handedOver) return this.#socket.push(Buffer.from(chunk));
    this.#onData(chunk);
    // The next read of any connection writes over it.
    if (this.#isShared(this.#rest)) this.#rest = Buffer.from(this.#rest);
    return true;
  };

  #isShared(bytes: Buffer): boolean {
    return bytes.buffer === this.#host.shared.buffer;
  }

  readonly #onData = (chunk: Buffer): void => {
    const arriving = this.#arriving;
    if (arriving === undefined) this.#take(chunk);
    else this.#fill(arriving, chunk);
  };

  #take(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    // A client that sends the next request before it has the answer waits.
    if (this.#cancellation !== undefined) this.#socket.pause();
    else this.#readHead();
  }

  readonly #onTimeout = (): void => {
    this.#socket.destroy();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    const cancellation = this.#cancellation;
    if (cancellation === undefined) this.#socket.end();
    // Nearly all who end their side have left. The few that still read get what is answered soon.
    else setTimeout(() => cancellation.cancel(), ENDED_MS).unref();
  };

  readonly #onClose = (): void => {
    this.#cancellation?.cancel();
    this.#giveUnread();
    if (this.#arriving !== undefined) this.#host.budget.give(this.#arriving.filled);
    this.#arriving = undefined;
    this.#rest = NOTHING;
  };

  #readHead(): void {
    const { limits, handler, budget } = this.#host;
    const bytes = this.#rest;
    const head = this.#parseHead(bytes);
    if (head === "incomplete" && bytes.length <= limits.maxHeaderBytes) {
      this.#wait();
      return;
    }
    if (head === "incomplete" || head === "unusual" || head.end > limits.maxHeaderBytes) {
      this.#handOver();
      return;
    }
    const { contentLength, end } = head;
    if (contentLength > limits.maxBodyBytes) {
      this.#handOver();
      return;
    }
    const answering = handler.admit(head);
    const arrived = bytes.length - end;
    if (typeof answering !== "function") {
      // The body of a refused request has to be read and thrown away: Node's server does that.
      if (contentLength > 0 || arrived > 0) this.#handOver();
      else {
        this.#rest = NOTHING;
        handler.refused(head, answering);
        this.#send(answering);
      }
      return;
    }
    if (arrived >= contentLength) {
      this.#rest = arrived === contentLength ? NOTHING : bytes.subarray(end + contentLength);
      // The memory of a large body may be moved to another thread, and everything that lies in it would go along.
      if (contentLength >= MOVED_FROM) this.#rest = Buffer.from(this.#rest);
      const body = bytes.subarray(end, end + contentLength);
      this.#answer(head, answering, this.#isShared(bytes) ? copyOf(body, head) : body);
      return;
    }
    if (!budget.take(arrived)) {
      this.#handOver();
      return;
    }
    const arriving = new Arriving(head, answering, this.#host.memory.take(contentLength, offsetOf(head)));
    arriving.filled = bytes.copy(arriving.body, 0, end);
    this.#rest = NOTHING;
    this.#arriving = arriving;
    this.deadline = performance.now() + limits.requestTimeoutMs;
    this.#wait();
  }

  /** Refuses a request whose body is still arriving, which ends the connection. */
  #refuse(head: UsualHead, answer: Answer): void {
    this.#host.handler.refused(head, answer);
    this.#end(answer);
  }

  /** More bytes are needed. A client that has ended its side sends none. */
  #wait(): void {
    if (this.#ended) this.#socket.end();
  }

  /** Most clients send the same head each time: it is parsed once. */
  #parseHead(bytes: Buffer): UsualHead | "incomplete" | "unusual" {
    const last = this.#last;
    if (last !== undefined && bytes.length >= last.end) {
      if (bytes.compare(this.#lastBytes, 0, last.end, 0, last.end) === 0) return last;
    }
    const head = parseHead(bytes);
    if (typeof head !== "string") {
      this.#last = head;
      this.#lastBytes = Buffer.from(bytes.subarray(0, head.end));
    }
    return head;
  }

  #fill(arriving: Arriving, chunk: Buffer): void {
    const taken = chunk.copy(arriving.place);
    if (taken < chunk.length) this.#rest = chunk.subarray(taken);
    this.#filled(arriving, taken);
    if (arriving.isWhole) freeChunks(arriving.body.length);
  }

  /** So many bytes more of a body are in their place. */
  #filled(arriving: Arriving, bytes: number): void {
    const { head, answering, body, filled } = arriving;
    if (!this.#host.budget.take(bytes)) {
      this.#host.budget.give(filled);
      this.#arriving = undefined;
      this.#refuse(head, refusal(503, OUT_OF_MEMORY, { "retry-after": "1" }));
      return;
    }
    arriving.filled += bytes;
    if (!arriving.isWhole) return;
    this.#arriving = undefined;
    this.#answer(head, answering, body, true);
  }

  #answer(head: UsualHead, answering: Answering, body: Buffer, counted = false): void {
    const cancellation = new Cancellation();
    this.#cancellation = cancellation;
    this.deadline = Number.POSITIVE_INFINITY;
    answering({ head, body, cancellation }).then(
      (answer) => {
        if (counted) this.#host.budget.give(head.contentLength);
        // Without success it may be that a model is still to run on it.
        if (counted && answer.status === 200) this.#host.memory.give(body);
        this.#send(answer);
      },
      () => {
        if (counted) this.#host.budget.give(head.contentLength);
        this.#socket.destroy();
      },
    );
  }

  #send(answer: Answer): void {
    const socket = this.#socket;
    this.#cancellation = undefined;
    if (socket.destroyed) return;
    const isLast = this.#ended && this.#rest.length === 0;
    if (isLast || !this.#host.handler.keepsConnections()) {
      this.#end(answer);
      return;
    }
    if (writeAnswer(socket, answer, false)) {
      this.deadline = performance.now() + this.#host.limits.keepAliveMs;
      this.#next();
      return;
    }
    // A client that does not read gets nothing more to read, and is let go when nothing moves for long.
    socket.pause();
    const { keepAliveMs } = this.#host.limits;
    const length = socket.writableLength;
    this.deadline = performance.now() + keepAliveMs + length / LEAST_BYTES_PER_MS;
    socket.setTimeout(keepAliveMs);
    // An answer that is not read takes memory as a body does.
    this.#unread = length;
    this.#host.budget.add(length);
    socket.once("drain", () => {
      socket.setTimeout(0);
      this.#giveUnread();
      this.deadline = performance.now() + this.#host.limits.keepAliveMs;
      this.#next();
    });
  }

  #giveUnread(): void {
    this.#host.budget.give(this.#unread);
    this.#unread = 0;
  }

  /** Sends the last answer and ends the connection. */
  #end(answer: Answer): void {
    const socket = this.#socket;
    this.#closing = true;
    writeAnswer(socket, answer, true);
    socket.end();
    // What a client sends after its last request is nobody's.
    socket.removeListener("data", this.#onData);
    socket.resume();
    this.deadline = Number.POSITIVE_INFINITY;
    socket.setTimeout(this.#host.limits.keepAliveMs);
    socket.once("finish", () => {
      socket.setTimeout(0);
      this.deadline = performance.now() + LINGER_MS;
    });
  }

  #next(): void {
    if (this.#handedOver) return;
    if (this.#rest.length > 0) {
      this.deadline = performance.now() + this.#host.limits.headersTimeoutMs;
      this.#readHead();
    }
    // More is read once what came before is answered: else a client that never waits for answers fills the memory.
    const waits = this.#cancellation !== undefined && this.#rest.length > 0;
    if (!waits && !this.#handedOver && this.#socket.isPaused()) this.#socket.resume();
  }

  #handOver(): void {
    const socket = this.#socket;
    const bytes = this.#isShared(this.#rest) ? Buffer.from(this.#rest) : this.#rest;
    this.#handedOver = true;
    this.#rest = NOTHING;
    this.deadline = Number.POSITIVE_INFINITY;
    socket.removeListener("data", this.#onData);
    socket.removeListener("end", this.#onEnd);
    socket.removeListener("close", this.#onClose);
    socket.removeListener("timeout", this.#onTimeout);
    socket.removeListener("error", ignore);
    this.#host.handOver(socket, bytes);
  }
}

/** How long a client may take to close a connection that was closed on this side. */
const LINGER_MS = 2_000;

function ignore(): void {
  // "close" follows, and is handled.
}

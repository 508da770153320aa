import { once } from "node:events";
import type { Server as NodeServer } from "node:http";
import { type AddressInfo, createServer as createPlainServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { BodyMemory } from "./body-memory.ts";
import { Connection } from "./connection.ts";
import type { Handler } from "./exchange.ts";
import { BodyBudget, type HttpLimits } from "./limits.ts";
import { createNodeServer } from "./node-server.ts";

/** How often connections are looked through for clients that are too slow. */
const SWEEP_MS = 1_000;
/** How often memory that is not needed is freed. */
const TRIM_MS = 5_000;
/** What one read takes at most, of heads and small bodies. Large bodies are read into their own memory. */
const SHARED_BYTES = 64 * 1024;

/** A server that listens: usual requests on the hot path, all others through Node's HTTP server. */
export class HttpListener {
  readonly #server: Server;
  readonly #node: NodeServer;
  readonly #connections = new Map<Socket, Connection | undefined>();
  readonly #memory = new BodyMemory();
  readonly #timers: readonly NodeJS.Timeout[];

  /** @param tls undefined: plain text */
  constructor(handler: Handler, limits: HttpLimits, tls?: TlsOptions) {
    const budget = new BodyBudget(limits.maxHeldBytes);
    this.#node = createNodeServer(handler, limits, budget);
    const host = {
      handler,
      limits,
      budget,
      memory: this.#memory,
      shared: Buffer.allocUnsafeSlow(SHARED_BYTES),
      handOver: (socket: Socket, bytes: Buffer) => this.#handOver(socket, bytes),
    };
    const accept = (socket: Socket) => {
      this.#connections.set(socket, new Connection(socket, host));
      socket.once("close", () => this.#connections.delete(socket));
    };
    const options = { allowHalfOpen: true, noDelay: true } as const;
    this.#server =
      tls === undefined
        ? createPlainServer(options, accept)
        : createTlsServer({ ...tls, ...options }, accept).on("tlsClientError", (_error, socket) => socket.destroy());
    this.#timers = [
      setInterval(() => this.#sweep(), SWEEP_MS).unref(),
      setInterval(() => this.#memory.trim(), TRIM_MS).unref(),
    ];
  }

  /** For TLS contexts that are renewed. */
  get server(): Server {
    return this.#server;
  }

  /**
   * @param port 0: a free one
   * @throws NodeJS.ErrnoException when the address cannot be had
   */
  async listen(host: string, port: number): Promise<AddressInfo> {
    this.#server.listen(port, host);
    await once(this.#server, "listening");
    return this.#server.address() as AddressInfo;
  }

  /** Takes no more connections; resolves when the last one has ended. Idle ones are ended at once. */
  async drain(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    const closeIdle = () => {
      let isSending = false;
      for (const [socket, connection] of this.#connections) {
        if (connection === undefined) isSending ||= socket.writableLength > 0;
        else if (!connection.isBusy) socket.destroy();
      }
      // Node's server takes a connection for idle whose answer is written, but not yet sent.
      if (!isSending) this.#node.closeIdleConnections();
    };
    closeIdle();
    // Answers tell clients to close; those that do not are idle a moment later.
    const timer = setInterval(closeIdle, 100);
    await closed;
    clearInterval(timer);
    this.#stopTimers();
  }

  /** Ends all connections at once. */
  destroy(): void {
    this.#stopTimers();
    this.#server.close();
    this.#node.close();
    for (const socket of this.#connections.keys()) socket.destroy();
  }

  #stopTimers(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  #handOver(socket: Socket, bytes: Buffer): void {
    this.#connections.set(socket, undefined);
    if (socket.readableEnded) {
      // What a stream has ended with cannot be put back into it.
      this.#node.emit("connection", socket);
      socket.emit("data", bytes);
      socket.emit("end");
      return;
    }
    socket.pause();
    socket.unshift(bytes);
    this.#node.emit("connection", socket);
    // Not before its listeners are all there.
    process.nextTick(() => socket.resume());
  }

  #sweep(): void {
    const now = performance.now();
    for (const connection of this.#connections.values()) {
      if (connection !== undefined && connection.deadline < now) connection.expire();
    }
  }
}

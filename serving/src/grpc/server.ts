import { once } from "node:events";
import { createServer, type Server as NetServer, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import {
  type ConnectionInjector,
  logVerbosity,
  Server,
  ServerCredentials,
  setLogger,
  setLogVerbosity,
} from "@grpc/grpc-js";
import { BodyBudget, DEFAULT_TIMEOUTS } from "../http/limits.ts";
import type { Service } from "../service.ts";
import { Arrivals } from "./arrivals.ts";
import { headerOf } from "./call.ts";
import { Departures } from "./departures.ts";
import { limitHeaders, widenConnections, widenStreams } from "./flow-control.ts";
import { methodsOf } from "./methods.ts";
import { OpenStreams } from "./open-streams.ts";

/** A peer that answers no ping within the timeout is gone, and its calls with it. */
const KEEPALIVE_MS = 60_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;
/** How long a request may take to arrive, as over HTTP/1. */
const ARRIVAL_MS = 60_000;
/** Calls that one connection may have open: clients hold back what is above it. */
const MAX_CONCURRENT_STREAMS = 1000;

export interface GrpcOptions {
  /** Undefined: plain text. */
  readonly tls?: TlsOptions | undefined;
  /** How long a request may take to arrive; milliseconds. */
  readonly arrivalMs?: number;
  /** How long an answer may lie unread, besides what its size takes; milliseconds. */
  readonly unreadMs?: number;
  /** Messages together that are held at one time: those that arrive, and again those that wait or run. Bytes. */
  readonly maxHeldBytes: number;
  /** Headers of a call. */
  readonly maxHeaderBytes: number;
}

/**
 * The gRPC service of this server: the Open Inference Protocol with Triton's extensions, and `grpc.health.v1`.
 *
 * Connections are accepted here and handed to `@grpc/grpc-js`, so that TLS contexts can be renewed and connections ended:
 * its own `forceShutdown` leaves them open while channelz is off, and channelz costs a tenth of the calls a second.
 */
export class GrpcServer {
  readonly #grpc: Server;
  readonly #injector: ConnectionInjector;
  readonly #listener: NetServer;
  readonly #sockets = new Set<Socket>();
  readonly #streams = new OpenStreams();
  readonly #arrivals: Arrivals;
  readonly #departures: Departures;

  constructor(service: Service, options: GrpcOptions) {
    const { tls, arrivalMs = ARRIVAL_MS, unreadMs = DEFAULT_TIMEOUTS.keepAliveMs } = options;
    const { maxHeldBytes, maxHeaderBytes } = options;
    const budget = new BodyBudget(maxHeldBytes);
    logThrough(service);
    this.#departures = new Departures(unreadMs, budget);
    this.#arrivals = new Arrivals(arrivalMs, new BodyBudget(maxHeldBytes), (metadata) =>
      service.isAuthorized(headerOf(metadata, "authorization")),
    );
    this.#grpc = new Server({
      interceptors: [
        (method, call) => {
          this.#departures.watch(call);
          return this.#arrivals.interceptor(method, call);
        },
      ],
      "grpc.max_receive_message_length": service.maxBodyBytes,
      "grpc.max_send_message_length": -1,
      "grpc.max_concurrent_streams": MAX_CONCURRENT_STREAMS,
      "grpc.keepalive_time_ms": KEEPALIVE_MS,
      "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
      "grpc.enable_channelz": 0,
    });
    for (const { definition, handler } of methodsOf(service, this.#streams, budget)) {
      this.#grpc.addService({ method: definition }, { method: handler });
    }
    widenStreams(this.#grpc);
    limitHeaders(this.#grpc, maxHeaderBytes);
    // Also with TLS: what is handed over is then already decrypted.
    this.#injector = this.#grpc.createConnectionInjector(ServerCredentials.createInsecure());
    widenConnections(this.#grpc);
    this.#listener = this.#createListener(tls);
  }

  /** What accepts connections: for TLS contexts that are renewed. */
  get server(): NetServer {
    return this.#listener;
  }

  /**
   * @param port 0: a free one
   * @returns the port
   * @throws NodeJS.ErrnoException when the address cannot be had
   */
  async listen(host: string, port: number): Promise<number> {
    this.#listener.listen(port, host);
    await once(this.#listener, "listening");
    const address = this.#listener.address();
    return typeof address === "object" && address !== null ? address.port : port;
  }

  /**
   * Takes no more connections and no more calls; resolves when those in flight are answered. Clients are told (GOAWAY) and
   * make new calls elsewhere.
   */
  async drain(): Promise<void> {
    this.#listener.close();
    this.#streams.stop();
    await new Promise<void>((resolve) => this.#grpc.tryShutdown(() => resolve()));
    await Promise.all([...this.#sockets].map((socket) => once(socket, "close").catch(() => undefined)));
    this.#arrivals.close();
    this.#departures.close();
  }

  /** Ends everything at once. */
  close(): void {
    this.#listener.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#arrivals.close();
    this.#departures.close();
    this.#grpc.forceShutdown();
  }

  #createListener(tls: TlsOptions | undefined): NetServer {
    const accept = (socket: Socket): void => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      this.#injector.injectConnection(socket);
    };
    if (tls === undefined) return createServer(accept);
    const listener = createTlsServer({ ...tls, ALPNProtocols: ["h2"] }, accept);
    return listener.on("tlsClientError", (_error, socket) => socket.destroy());
  }
}

/** What the library has to say goes where all else goes. */
function logThrough({ log }: Service): void {
  const tell = (...parts: readonly unknown[]): void => log.warn("gRPC library", { reason: parts.join(" ") });
  setLogger({ error: tell, info: tell, debug: tell });
  setLogVerbosity(logVerbosity.ERROR);
}

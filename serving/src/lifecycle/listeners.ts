import type { Server as NetServer } from "node:net";
import type { Server as TlsServer } from "node:tls";
import type { Settings } from "../config/settings.ts";
import { GrpcServer } from "../grpc/server.ts";
import type { Handler } from "../http/exchange.ts";
import { DEFAULT_TIMEOUTS, type HttpLimits } from "../http/limits.ts";
import { HttpListener } from "../http/listener.ts";
import { type MetricsText, RestHandler } from "../rest/handler.ts";
import { OperationsHandler } from "../rest/operations-handler.ts";
import { readLimits } from "../runtime/cgroup.ts";
import type { ServerTls } from "../security/tls.ts";
import type { Service } from "../service.ts";

/** The server cannot listen; the message names the address. */
export class ListenError extends Error {
  override readonly name = "ListenError";
}

/** The part of the memory limit that bodies may take together: of REST, and of gRPC while they arrive and while they wait. */
const BODIES_PART = { rest: 1 / 4, grpc: 1 / 8 };

/** Health and metrics take no bodies worth the name. */
const WITHOUT_BODIES = { maxBodyBytes: 64 * 1024, maxHeldBytes: 1024 * 1024 };

/** Every port of the server. */
export class Listeners {
  readonly #rest: HttpListener;
  readonly #operations: HttpListener | undefined;
  readonly #grpc: GrpcServer | undefined;
  /** Ports as they came to be, for the log. */
  readonly ports: Readonly<Record<string, number>>;

  private constructor(
    rest: HttpListener,
    operations: HttpListener | undefined,
    grpc: GrpcServer | undefined,
    ports: Readonly<Record<string, number>>,
  ) {
    this.#rest = rest;
    this.#operations = operations;
    this.#grpc = grpc;
    this.ports = ports;
  }

  /** @throws ListenError when an address cannot be had */
  static async open(
    settings: Settings,
    service: Service,
    metrics: MetricsText,
    tls: ServerTls | undefined,
  ): Promise<Listeners> {
    const { host } = settings;
    const limits = httpLimits(settings);
    const listen = async (handler: Handler, port: number, isSecure: boolean, limits: HttpLimits) => {
      const listener = new HttpListener(handler, limits, isSecure ? tls?.options : undefined);
      const { port: actual } = await orListenError(host, port, listener.listen(host, port));
      if (isSecure) tls?.follow(listener.server as TlsServer);
      limitConnections(listener.server, settings, service);
      return { listener, actual };
    };
    // Metrics with a port of their own are not for whoever reaches the models.
    const isApart = settings.metricsPort !== undefined;
    const rest = await listen(new RestHandler(service, isApart ? undefined : metrics), settings.port, true, limits);
    const ports: Record<string, number> = { port: rest.actual };
    let operations: HttpListener | undefined;
    if (settings.metricsPort !== undefined) {
      const opened = await listen(
        new OperationsHandler(new RestHandler(service, metrics)),
        settings.metricsPort,
        false,
        {
          ...limits,
          ...WITHOUT_BODIES,
        },
      );
      operations = opened.listener;
      ports.metricsPort = opened.actual;
    }
    let grpc: GrpcServer | undefined;
    if (settings.grpcPort !== undefined) {
      const { maxHeaderBytes } = settings;
      const maxHeldBytes = heldBytes(settings, BODIES_PART.grpc);
      grpc = new GrpcServer(service, { tls: tls?.options, maxHeldBytes, maxHeaderBytes });
      ports.grpcPort = await orListenError(host, settings.grpcPort, grpc.listen(host, settings.grpcPort));
      tls?.follow(grpc.server as TlsServer);
      limitConnections(grpc.server, settings, service);
    }
    return new Listeners(rest.listener, operations, grpc, ports);
  }

  /** Stops listening, but for the port of probes and scrapers; resolves when everything in flight is answered. */
  async drain(): Promise<void> {
    await Promise.all([this.#rest.drain(), this.#grpc?.drain()]);
  }

  /** Ends all connections at once. */
  destroy(): void {
    this.#rest.destroy();
    this.#operations?.destroy();
    this.#grpc?.close();
  }
}

/** Each connection takes memory, also one that never says a word. */
function limitConnections(server: NetServer, { maxConnections }: Settings, { log }: Service): void {
  server.maxConnections = maxConnections;
  server.on("drop", (dropped) => {
    log.warn("connection closed: as many are open as may be", { maxConnections, port: dropped?.localPort ?? 0 });
  });
}

function httpLimits(settings: Settings): HttpLimits {
  const { maxBodyBytes, maxHeaderBytes } = settings;
  return { ...DEFAULT_TIMEOUTS, maxBodyBytes, maxHeaderBytes, maxHeldBytes: heldBytes(settings, BODIES_PART.rest) };
}

function heldBytes({ maxBodyBytes }: Settings, part: number): number {
  return Math.max(maxBodyBytes, Math.floor(readLimits().memoryBytes * part));
}

async function orListenError<T>(host: string, port: number, listening: Promise<T>): Promise<T> {
  try {
    return await listening;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === "EADDRINUSE" ? "the port is taken" : code === "EACCES" ? "permission denied" : message;
    throw new ListenError(`cannot listen on ${host} port ${port}: ${reason}`);
  }
}

import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import type { LabHome } from "../state/home.ts";

/** The unix socket on which a lab's door connects to any port inside the lab. */
export function dialSocket(home: LabHome): string {
  return join(home.sockets, "dial.sock");
}

/** A connection to 127.0.0.1:port inside the lab. */
export function dial(home: LabHome, port: number): Socket {
  const socket = connect(dialSocket(home));
  socket.write(`${port}\n`);
  return socket;
}

/** The keys of a TLS client: who signs the server's certificate, and the client's own. All PEM. */
export interface ClientKeys {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

/** A request to a server inside the lab. */
export interface InsideRequest {
  readonly port: number;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Speaks TLS when given. */
  readonly keys?: ClientKeys;
  readonly timeoutMs?: number;
}

export interface InsideResponse {
  readonly status: number;
  readonly body: string;
}

/**
 * Sends one HTTP request to a server that listens on 127.0.0.1 inside the lab, where nothing but the door can reach it.
 * @throws Error when there is no answer within the time (3 s unless told otherwise).
 */
export async function requestInside(home: LabHome, request: InsideRequest): Promise<InsideResponse> {
  const { keys, body } = request;
  const timeoutMs = request.timeoutMs ?? 3000;
  const socket = dial(home, request.port);
  const signal = AbortSignal.timeout(timeoutMs);
  const common = {
    method: request.method ?? "GET",
    host: "127.0.0.1",
    port: request.port,
    path: request.path,
    headers: { ...request.headers, connection: "close" },
    signal,
  };
  try {
    return await new Promise<InsideResponse>((resolve, reject) => {
      socket.on("error", reject);
      const answer = (response: IncomingMessage) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
        response.on("error", reject);
      };
      const sent = keys
        ? httpsRequest(
            { ...common, createConnection: () => connectTls({ ...keys, socket, servername: "localhost" }) },
            answer,
          )
        : httpRequest({ ...common, createConnection: () => socket }, answer);
      sent.on("error", reject);
      sent.end(body);
    });
  } finally {
    socket.destroy();
  }
}

/** Throws unless a server inside the lab answers this path with a status of 200 to 299. */
export async function expectInside(home: LabHome, request: InsideRequest): Promise<void> {
  const { status, body } = await requestInside(home, request);
  if (status >= 200 && status < 300) return;
  throw new Error(`port ${request.port} answered ${request.path} with ${status}: ${body.slice(0, 300)}`);
}

import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Logger } from "../logging/logger.ts";
import { ProtocolError } from "../protocol/error.ts";
import { answer, type Service } from "./answer.ts";
import { ClientGone } from "./body.ts";

/** How long a request may take to arrive, headers and all. */
const REQUEST_TIMEOUT_MS = 60_000;
const HEADERS_TIMEOUT_MS = 15_000;
/** Longer than the idle timeout of common load balancers (60 s), so that they, not we, end an idle connection. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** How long a client may go on sending what was refused, so that it gets to read why. */
const LINGER_MS = 2_000;

/**
 * The server, not yet listening. While the service is not ready (it loads, or it drains) connections are not kept.
 */
export function createHttpServer(service: Service, log: Logger): Server {
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    void respond(service, log, request, response);
  };
  const server = createServer(
    {
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: 5_000,
    },
    handle,
  );
  // A client that asks first ("Expect: 100-continue") is told of a body too large before it sends it.
  server.on("checkContinue", handle);
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => refuseMalformed(error, socket));
  return server;
}

async function respond(
  service: Service,
  log: Logger,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const { status, body } = await answer(service, request, response);
    send(service, request, response, status, body, {});
  } catch (error) {
    if (error instanceof ClientGone) return;
    const known = error instanceof ProtocolError ? error : new ProtocolError(500, "internal error");
    const fields = { method: request.method ?? "", status: known.status, reason: known.message };
    if (!(error instanceof ProtocolError)) log.error("request failed", { ...fields, stack: stackOf(error) });
    else if (known.status >= 500) log.error("request failed", fields);
    else log.warn("request refused", fields);
    send(service, request, response, known.status, JSON.stringify({ error: known.message }), known.headers);
  }
}

function send(
  service: Service,
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>>,
): void {
  const bytes = Buffer.from(body);
  const unread = hasBody(request) && !request.complete;
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": bytes.length,
    ...(unread || !service.isReady() ? { connection: "close" } : {}),
    ...headers,
  });
  if (!unread) {
    response.end(bytes);
    return;
  }
  // The body was refused unread. To close now would reset the connection, and the client could lose the answer:
  // the answer goes out whole, the rest of the body is thrown away for a while, then the connection ends.
  response.write(bytes);
  const end = () => response.end();
  const timer = setTimeout(end, LINGER_MS);
  request.once("close", () => clearTimeout(timer));
  request.once("close", end);
  request.once("end", end);
  request.resume();
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** Answers what Node's parser refused: no HTTP, headers too large, too slow. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, message] =
    error.code === "HPE_HEADER_OVERFLOW"
      ? [431, "the request's headers are too large"]
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? [408, "the request took too long to arrive"]
        : [400, "the request is not valid HTTP/1.1"];
  const body = JSON.stringify({ error: message });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

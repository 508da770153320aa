import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Cancellation } from "../execution/cancellation.ts";
import { ProtocolError } from "../protocol/error.ts";
import { ClientGone, readBody } from "./body.ts";
import { type Answer, bodyLength, type Handler, type RequestHead, refusal } from "./exchange.ts";
import type { BodyBudget, HttpLimits } from "./limits.ts";
import { writeAnswer } from "./write.ts";

/** How long a client may go on sending what was refused, so that it gets to read why. */
const LINGER_MS = 2_000;

/**
 * Node's HTTP server for the requests that are not usual: HEAD and other methods, chunked or compressed bodies, HTTP/1.0,
 * `Expect`, bodies that are refused, and everything malformed. It does not listen: connections are handed to it.
 */
export function createNodeServer(handler: Handler, limits: HttpLimits, budget: BodyBudget): Server {
  const host: Host = { handler, limits, budget, latest: new WeakMap() };
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    host.latest.set(request.socket, response);
    void respond(host, request, response);
  };
  const server = createServer(
    {
      requestTimeout: limits.requestTimeoutMs,
      headersTimeout: limits.headersTimeoutMs,
      keepAliveTimeout: limits.keepAliveMs,
      maxHeaderSize: limits.maxHeaderBytes,
      connectionsCheckingInterval: 1_000,
      // Answered here, in the protocol's form.
      requireHostHeader: false,
    },
    handle,
  );
  // A client that asks first ("Expect: 100-continue") is told of a body too large before it sends it.
  server.on("checkContinue", handle);
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    // A refusal would be taken for the answer to the request before.
    if (isAnswering(host.latest.get(socket))) socket.destroySoon();
    else refuseMalformed(error, socket);
  });
  // A client that ends its side after its requests still reads the answers. (Node's types do not know it.)
  Object.assign(server, { httpAllowHalfOpen: true });
  // Only from here on does it watch the time of its connections, and know which of them are idle.
  server.emit("listening");
  return server;
}

interface Host {
  readonly handler: Handler;
  readonly limits: HttpLimits;
  readonly budget: BodyBudget;
  /** The answer to the latest request of a connection. */
  readonly latest: WeakMap<Socket, ServerResponse>;
}

async function respond(host: Host, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { handler, limits, budget } = host;
  if (request.httpVersion === "1.1" && request.headers.host === undefined) {
    send(host, request, response, refusal(400, "the request has no Host header"));
    return;
  }
  const head = headOf(request);
  const answering = handler.admit(head);
  if (typeof answering !== "function") {
    send(host, request, response, answering);
    return;
  }
  const cancellation = new Cancellation();
  response.once("close", () => cancellation.cancel());
  const held = heldBytes(request, limits);
  if (!budget.take(held)) {
    const message = "the server holds as many request bodies as its memory allows: try again";
    send(host, request, response, refusal(503, message, { "retry-after": "1" }));
    return;
  }
  try {
    const body = await readBody(request, response, limits.maxBodyBytes);
    send(host, request, response, await answering({ head, body, cancellation }));
  } catch (error) {
    if (error instanceof ProtocolError) {
      send(host, request, response, refusal(error.status, error.message, error.headers));
    } else if (!(error instanceof ClientGone)) response.destroy();
  } finally {
    budget.give(held);
  }
}

/** Whether a request has arrived whole, or was refused before, and its answer is still to be sent. */
function isAnswering(response: ServerResponse | undefined): boolean {
  return response !== undefined && !response.writableFinished && (response.req.complete || response.headersSent);
}

/** What a body may come to hold: what it declares, or anything where it is compressed or of undeclared length. */
function heldBytes({ headers }: IncomingMessage, { maxBodyBytes }: HttpLimits): number {
  const encoded = headers["transfer-encoding"] !== undefined || headers["content-encoding"] !== undefined;
  return encoded ? maxBodyBytes : Math.min(Number(headers["content-length"] ?? 0), maxBodyBytes);
}

function headOf(request: IncomingMessage): RequestHead {
  return {
    // A HEAD is answered as the GET it asks about, without the body.
    method: request.method === "HEAD" ? "GET" : (request.method ?? ""),
    target: request.url ?? "/",
    header: (name) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
  };
}

function send(host: Host, request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const { handler, limits } = host;
  const { socket } = request;
  const unread = hasBody(request) && !request.complete;
  response.writeHead(answer.status, {
    "content-type": answer.contentType,
    "content-length": bodyLength(answer),
    ...(unread || !handler.keepsConnections() ? { connection: "close" } : {}),
    ...answer.headers,
  });
  const { body } = answer;
  for (const part of typeof body === "string" || body instanceof Uint8Array ? [body] : body) {
    response.write(typeof part === "string" ? Buffer.from(part, "latin1") : part);
  }
  // A client that does not read is let go when nothing moves for long; Node sets its own time when all is sent.
  if (socket.writableLength > 0) socket.setTimeout(limits.keepAliveMs);
  if (!unread) {
    response.end();
    return;
  }
  // The body was refused unread. To close now would reset the connection, and the client could lose the answer: the
  // answer goes out whole, the rest of the body is thrown away for a while, then the connection ends.
  const end = () => response.end();
  const timer = setTimeout(end, LINGER_MS);
  request.once("close", () => clearTimeout(timer));
  request.once("close", end);
  request.once("end", end);
  request.unpipe();
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
      ? ([431, "the request's headers are too large"] as const)
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? ([408, "the request took too long to arrive"] as const)
        : ([400, "the request is not valid HTTP/1.1"] as const);
  writeAnswer(socket, refusal(status, message), true);
  socket.end();
}

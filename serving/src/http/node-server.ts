import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Cancellation } from "../execution/cancellation.ts";
import { ProtocolError } from "../protocol/error.ts";
import { ClientGone, readBody } from "./body.ts";
import { type Answer, bodyLength, type Handler, type RequestHead, refusal } from "./exchange.ts";
import { type BodyBudget, BudgetShare, type HttpLimits } from "./limits.ts";
import { createServer } from "./node-http.ts";
import { writeAnswer } from "./write.ts";

/** How long a client may go on sending what was refused, so that it gets to read why. */
const LINGER_MS = 2_000;

/**
 * Node's HTTP server for the requests that are not usual: HEAD and other methods, chunked or compressed bodies, HTTP/1.0,
 * `Expect`, bodies that are refused, and everything malformed. It does not listen: connections are handed to it.
 */
export function createNodeServer(handler: Handler, limits: HttpLimits, budget: BodyBudget): Server {
  const host: Host = { handler, limits, budget, open: new WeakMap(), refused: new WeakSet() };
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    remember(host, request.socket, response);
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
  server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
    remember(host, request.socket, response);
    send(host, request, response, refusal(417, "Expect of the request must be 100-continue"));
  });
  server.on("connect", (_request, socket: Socket) => {
    socket.on("error", () => socket.destroy());
    socket.resume();
    afterAnswers(host, socket, () => refuseLast(host, socket, refusal(405, "CONNECT is not allowed here")));
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === "ECONNRESET") socket.destroy();
    else afterAnswers(host, socket, () => refuseLast(host, socket, malformed(error)));
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
  /** The answers of a connection that are not yet sent whole, in order. */
  readonly open: WeakMap<Socket, ServerResponse[]>;
  /** Connections that were told the last thing they are told. */
  readonly refused: WeakSet<Socket>;
}

function remember({ open }: Host, socket: Socket, response: ServerResponse): void {
  const answers = open.get(socket) ?? [];
  answers.push(response);
  open.set(socket, answers);
  response.once("close", () => answers.splice(answers.indexOf(response), 1));
}

/** What is malformed behind a request that arrived whole is refused after its answer: it would be taken for that. */
function afterAnswers({ open }: Host, socket: Socket, refuse: () => void): void {
  const answers = open.get(socket) ?? [];
  const last = answers.at(-1);
  // What is malformed is the body of a request that is refused already.
  if (last?.headersSent === true && !last.req.complete) {
    last.end();
    return;
  }
  const due = answers.findLast(({ req }) => req.complete);
  if (due === undefined) refuse();
  else due.once("close", refuse);
}

async function respond(host: Host, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { handler, limits, budget } = host;
  const names = request.headersDistinct.host?.length ?? 0;
  // RFC 9112, section 3.2.
  if (names > 1 || (names === 0 && request.httpVersion === "1.1")) {
    send(host, request, response, refusal(400, `the request has ${names === 0 ? "no" : "more than one"} Host header`));
    return;
  }
  const head = headOf(request);
  const answering = handler.admit(head);
  const refuse = (answer: Answer) => {
    handler.refused(head, answer);
    send(host, request, response, answer);
  };
  if (typeof answering !== "function") {
    refuse(answering);
    return;
  }
  const cancellation = new Cancellation();
  response.once("close", () => cancellation.cancel());
  const share = new BudgetShare(budget);
  try {
    const body = await readBody(request, response, limits.maxBodyBytes, share);
    send(host, request, response, await answering({ head, body, cancellation }));
  } catch (error) {
    if (error instanceof ProtocolError) refuse(refusal(error.status, error.message, error.headers));
    else if (!(error instanceof ClientGone)) response.destroy();
  } finally {
    share.release();
  }
}

function headOf(request: IncomingMessage): RequestHead {
  return {
    // A HEAD is answered as the GET it asks about, without the body.
    method: request.method === "HEAD" ? "GET" : (request.method ?? ""),
    target: originForm(request.url ?? "/"),
    header: (name) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
  };
}

/** A target that names scheme and host, as clients send it to proxies, is to be taken too: RFC 9112, section 3.2.2. */
function originForm(target: string): string {
  const path = target.replace(/^https?:\/\/[^/?]*/i, "");
  return path.startsWith("/") || path === target ? path : `/${path}`;
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

/** What Node's parser refused: no HTTP, headers too large, too slow. */
function malformed({ code }: NodeJS.ErrnoException): Answer {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return refusal(431, "the request's headers are too large");
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return refusal(413, "the extensions of the request's chunks are too large");
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return refusal(408, "the request took too long to arrive");
    default:
      return refusal(400, "the request is not valid HTTP/1.1");
  }
}

/**
 * Tells a client the last thing that this connection tells. What it still sends is thrown away for a while: to close at once
 * would reset the connection, and the client could lose the answer.
 */
function refuseLast({ refused }: Host, socket: Socket, answer: Answer): void {
  if (refused.has(socket) || !socket.writable) return;
  refused.add(socket);
  writeAnswer(socket, answer, true);
  socket.end();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(timer));
}

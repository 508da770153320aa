import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Body, handlers, LittleMlflowState, Refused } from "./little-mlflow-api.ts";

/** One request that the server got. */
export interface Call {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly authorization: string | undefined;
}

/**
 * What goes wrong with a request: an answer that is given instead, or a connection that is cut before or after the request
 * was carried out, or in the middle of the answer.
 */
export type Fault =
  | "cut-before"
  | "cut-after"
  | "cut-middle"
  | { readonly status: number; readonly body: string; readonly location?: string };

/** A server that speaks MLflow's REST API as 3.17 does, in memory, and fails when it is told to. */
export class LittleMlflow implements AsyncDisposable {
  readonly state = new LittleMlflowState();
  readonly calls: Call[] = [];
  /** Asked for each request, before it is carried out. */
  fault: (call: Call) => Fault | undefined = () => undefined;
  /** The only `Authorization` header that is let in. */
  authorization: string | undefined;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<LittleMlflow> {
    const server = createServer();
    const little = new LittleMlflow(server);
    server.on("request", (request, response) => void little.#serve(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return little;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How often a path was called. */
  count(path: string): number {
    return this.calls.filter((call) => call.path.endsWith(path)).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.address);
    const { authorization } = request.headers;
    const call: Call = { method: request.method ?? "", path: decodeURIComponent(url.pathname), authorization };
    this.calls.push(call);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const fault = this.fault(call);
    if (fault === "cut-before") return void request.socket.destroy();
    if (typeof fault === "object") {
      const location = fault.location === undefined ? {} : { location: fault.location };
      return void response.writeHead(fault.status, location).end(fault.body);
    }
    if (this.authorization !== undefined && authorization !== this.authorization)
      return void response.writeHead(401, { "content-type": "text/plain" }).end("You are not authenticated.");
    const answer = this.#answer(call, url, Buffer.concat(chunks));
    if (fault === "cut-after") return void request.socket.destroy();
    if (Buffer.isBuffer(answer) && fault === "cut-middle") {
      response.writeHead(200, { "content-length": answer.length }).write(answer.subarray(0, answer.length / 2));
      return void setTimeout(() => request.socket.destroy(), 20);
    }
    if (Buffer.isBuffer(answer)) return void response.end(answer);
    const refused = answer instanceof Refused;
    const json = refused ? { error_code: answer.code, message: answer.message } : answer;
    response.writeHead(refused ? answer.status : 200, { "content-type": "application/json" }).end(JSON.stringify(json));
  }

  #answer(call: Call, url: URL, bytes: Buffer): Body | Buffer | Refused {
    const artifacts = "/api/2.0/mlflow-artifacts/artifacts/";
    try {
      if (call.path.startsWith(artifacts)) return this.#artifact(call, call.path.slice(artifacts.length), bytes);
      const name = call.path.slice("/api/2.0/".length);
      const handler = handlers[name.startsWith("mlflow/logged-models/") ? "mlflow/logged-models" : name];
      if (handler === undefined) return new Refused("ENDPOINT_NOT_FOUND", call.path, 404);
      const body =
        call.method === "GET" ? Object.fromEntries(url.searchParams) : (JSON.parse(bytes.toString()) as Body);
      return handler(this.state, { ...body, $method: call.method, $path: name });
    } catch (error) {
      if (error instanceof Refused) return error;
      throw error;
    }
  }

  #artifact({ method }: Call, path: string, bytes: Buffer): Body | Buffer {
    if (method === "PUT") {
      this.state.artifacts.set(path, bytes);
      return {};
    }
    const found = this.state.artifacts.get(path);
    if (found) return found;
    throw new Refused("RESOURCE_DOES_NOT_EXIST", `No such artifact: '${path}'`, 404);
  }
}

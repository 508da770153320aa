import { isUtf8 } from "node:buffer";
import { consolePage } from "../console/console-page.ts";
import { Cancelled } from "../execution/cancellation.ts";
import {
  type Answer,
  type Answering,
  type Handler,
  type RequestHead,
  refusal,
  type WholeRequest,
} from "../http/exchange.ts";
import { openApiDocument } from "../openapi/document.ts";
import { badRequest, ProtocolError } from "../protocol/error.ts";
import type { Service } from "../service.ts";
import { readInferRequest } from "./infer-request.ts";
import { writeInferResponse } from "./infer-response.ts";
import * as management from "./management.ts";
import { type InferRoute, isOpen, type ManagementRoute, matchRoute, methodsOf, type TextRoute } from "./routes.ts";

/** Text for whoever scrapes `/metrics`. */
export interface MetricsText {
  readonly contentType: string;
  text(): Promise<string>;
}

const JSON_TYPE = "application/json";

/** Answers REST requests from a service. */
export class RestHandler implements Handler {
  readonly #service: Service;
  readonly #metrics: MetricsText | undefined;

  /** @param metrics undefined when they are on another port, and thus not for whoever reaches the models */
  constructor(service: Service, metrics: MetricsText | undefined) {
    this.#service = service;
    this.#metrics = metrics;
  }

  /** Neither while it loads nor while it drains: whoever asks again is to be routed anew. */
  keepsConnections(): boolean {
    return this.#service.isReady();
  }

  admit(head: RequestHead): Answering | Answer {
    const route = matchRoute(head.target);
    if (route === undefined) return refusal(404, "there is nothing at this path; see GET /v2");
    const methods = methodsOf(route);
    if (!methods.includes(head.method)) {
      const allow = methods.join(", ");
      return refusal(405, `${head.method} is not allowed here, use ${allow}`, { allow });
    }
    if (!isOpen(route) && !this.#service.isAuthorized(head.header("authorization"))) {
      return refusal(401, "this needs a bearer token: Authorization: Bearer …", { "www-authenticate": "Bearer" });
    }
    if (route.kind === "infer") {
      // Whoever asks first need not send a body for nothing. Of others it is on its way: to refuse it unread ends the connection.
      const unknown = head.header("expect") === undefined ? undefined : this.#unknownModel(route);
      return unknown ?? ((request) => this.#infer(route.model, route.version, request));
    }
    return (request) => this.#answer(route, request);
  }

  /** The refusal of a model that is not known. One that is may be served by the time that the body is there. */
  #unknownModel({ model, version }: InferRoute): Answer | undefined {
    try {
      this.#service.catalog.isReady(model, version);
      return undefined;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return refusal(error.status, error.message, error.headers);
    }
  }

  refused(head: RequestHead, { status, reason = "" }: Answer): void {
    const { telemetry, log } = this.#service;
    log.warn("request refused", { method: head.method, status, reason });
    if (matchRoute(head.target)?.kind !== "infer") return;
    telemetry.begin("rest", (name) => head.header(name)).finish(String(status));
  }

  async #infer(name: string, version: string | undefined, request: WholeRequest): Promise<Answer> {
    const { head, body, cancellation } = request;
    const service = this.#service;
    const record = service.telemetry.begin("rest", (header) => head.header(header));
    const arrived = performance.now();
    const bytesElements = service.bytesElements.request();
    try {
      const model = service.catalog.get(name, version);
      record.model(model.name, model.version);
      const length = jsonLength(head);
      checkJson(Math.min(length ?? body.length, body.length), service.maxJsonBytes);
      const inferRequest = readInferRequest(body, length, model, { maxTensors: service.maxTensors, bytesElements });
      const { inputs, outputs, timeoutMs = service.requestTimeoutMs } = inferRequest;
      const deadline = arrived + Math.min(timeoutMs, service.requestTimeoutMs);
      const executed = record.executed.bind(record);
      const results = await model.infer(inputs, { outputs, deadline, cancellation, executed });
      const response = writeInferResponse(model, inferRequest, results, service.maxJsonBytes);
      const { json, binary } = response;
      record.finish("200");
      if (binary === undefined) {
        const [only = "", ...more] = json;
        return { status: 200, contentType: JSON_TYPE, body: more.length === 0 ? only : json };
      }
      return {
        status: 200,
        contentType: "application/octet-stream",
        headers: { "Inference-Header-Content-Length": String(response.jsonLength) },
        body: [...json, ...binary],
      };
    } catch (error) {
      // 499, as reverse proxies log it: the client closed the request.
      const status = error instanceof Cancelled ? 499 : error instanceof ProtocolError ? error.status : 500;
      record.finish(String(status));
      if (error instanceof Cancelled) throw error;
      return this.#refuse(head, error);
    } finally {
      bytesElements.release();
    }
  }

  async #answer(route: TextRoute | ManagementRoute, { head, body }: WholeRequest): Promise<Answer> {
    try {
      switch (route.kind) {
        case "metrics": {
          const metrics = this.#metrics;
          if (metrics === undefined) throw new ProtocolError(404, "metrics are on the server's --metrics-port");
          return { status: 200, contentType: metrics.contentType, body: Buffer.from(await metrics.text()) };
        }
        case "console": {
          const { html, headers } = await consolePage(this.#metrics !== undefined);
          const { "content-type": contentType = "text/html", ...rest } = headers;
          return { status: 200, contentType, headers: rest, body: html };
        }
        default:
          return toAnswer(await this.#manage(route as ManagementRoute, head, body));
      }
    } catch (error) {
      return this.#refuse(head, error);
    }
  }

  async #manage(route: ManagementRoute, head: RequestHead, body: Buffer): Promise<management.ManagementAnswer> {
    const service = this.#service;
    if (!isUtf8(body)) throw badRequest("the request body is not valid UTF-8");
    switch (route.kind) {
      case "live":
      case "ready":
        return management.health(route.kind, service);
      case "server":
        return management.server(service);
      case "openapi":
        return { status: 200, value: openApiDocument(service.version) };
      case "statistics":
        return management.statistics(service);
      case "index":
        return management.index(service, body);
      case "load":
      case "unload":
        refuseCrossSite(head);
        return management.control(service, route.kind, route.model, body);
      case "model":
      case "model-ready":
      case "config":
      case "model-statistics":
        return management.model(service, route.kind, route.model, route.version);
    }
  }

  #refuse({ method }: RequestHead, error: unknown): Answer {
    const { log } = this.#service;
    if (!(error instanceof ProtocolError)) {
      const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
      log.error("request failed", { method, status: 500, reason: "internal error", stack });
      return refusal(500, "internal error");
    }
    const fields = { method, status: error.status, reason: error.logged };
    if (error.status >= 500 && error.status !== 503) log.error("request failed", fields);
    else log.warn("request refused", fields);
    return refusal(error.status, error.message, error.headers);
  }
}

function toAnswer({ status, value }: management.ManagementAnswer): Answer {
  return { status, contentType: JSON_TYPE, body: value === undefined ? "" : Buffer.from(JSON.stringify(value)) };
}

/**
 * A page of another site may make a browser send this, with nobody's will.
 *
 * https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
 */
function refuseCrossSite(head: RequestHead): void {
  const site = head.header("sec-fetch-site");
  if (site === undefined || site === "same-origin" || site === "none") return;
  throw new ProtocolError(403, "pages of other sites may not load and unload models here");
}

/** JSON is read on the event loop, and takes several times its size meanwhile. */
function checkJson(length: number, most: number): void {
  if (length <= most) return;
  throw new ProtocolError(
    413,
    `the request's JSON has ${length} bytes, more than ${most}, the limit of this server: send tensors as binary data`,
  );
}

/** Length of the JSON before binary tensors; undefined: the body is JSON. */
function jsonLength(head: RequestHead): number | undefined {
  const text = head.header("inference-header-content-length");
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) {
    throw badRequest("Inference-Header-Content-Length must be a whole number of bytes");
  }
  return Number(text);
}

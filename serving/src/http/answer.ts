import type { IncomingMessage, ServerResponse } from "node:http";
import { runtimeMessage } from "../models/model.ts";
import type { ModelStore } from "../models/model-store.ts";
import { ProtocolError } from "../protocol/error.ts";
import { formatInferResponse, parseInferRequest } from "../protocol/infer.ts";
import { decodeBody } from "../protocol/json.ts";
import { modelMetadata, serverMetadata } from "../protocol/metadata.ts";
import { readBody } from "./body.ts";
import { matchRoute, methodsOf, type Route } from "./routes.ts";

/** What requests are answered from. */
export interface Service {
  readonly models: ModelStore;
  /** Whether the server wants traffic: false while it loads and while it drains. */
  readonly isReady: () => boolean;
  /** This server's own version. */
  readonly version: string;
  readonly maxBodyBytes: number;
}

export interface Answer {
  readonly status: number;
  /** JSON. */
  readonly body: string;
}

/**
 * Answers one request.
 *
 * @throws ProtocolError with the status and message for the client
 * @throws ClientGone when the client left
 */
export async function answer(service: Service, request: IncomingMessage, response: ServerResponse): Promise<Answer> {
  const target = request.url ?? "/";
  const route = matchRoute(target);
  if (route === undefined) throw new ProtocolError(404, "there is nothing at this path; see GET /v2");
  const methods = methodsOf(route);
  if (!methods.includes(request.method ?? "")) {
    const allowed = methods.join(", ");
    throw new ProtocolError(405, `${request.method} is not allowed here, use ${allowed}`, { allow: allowed });
  }
  return answerRoute(service, route, request, response);
}

async function answerRoute(
  service: Service,
  route: Route,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Answer> {
  const { models } = service;
  switch (route.kind) {
    case "server":
      return json(200, serverMetadata(service.version));
    case "live":
      return json(200, { live: true });
    case "ready": {
      const ready = service.isReady();
      return json(ready ? 200 : 503, { ready });
    }
    case "model-ready": {
      const ready = models.isReady(route.model, route.version);
      return json(ready ? 200 : 503, { name: route.model, ready });
    }
    case "model": {
      const model = models.get(route.model, route.version);
      const versions = route.version === undefined ? models.versions(route.model) : [model.version];
      return json(200, modelMetadata(model.name, versions, model));
    }
    case "infer": {
      const model = models.get(route.model, route.version);
      const text = decodeBody(await readBody(request, response, service.maxBodyBytes));
      const { id, inputs, outputs } = parseInferRequest(text, model);
      const results = await model.infer(inputs, outputs).catch((error: unknown) => {
        throw new ProtocolError(500, `model '${model.name}' failed: ${runtimeMessage(error)}`);
      });
      return { status: 200, body: formatInferResponse(model, id, results) };
    }
  }
}

function json(status: number, value: object): Answer {
  return { status, body: JSON.stringify(value) };
}

import { inference } from "./inference-operation.ts";
import { type ErrorStatus, errors, json, WITH_BODY } from "./responses.ts";

const MODEL = {
  name: "model",
  in: "path",
  required: true,
  description: "The model's name.",
  schema: { type: "string", minLength: 1 },
  example: "digits",
};
const VERSION = {
  name: "version",
  in: "path",
  required: true,
  description: "A version of the model.",
  schema: { type: "string", minLength: 1 },
  example: "1",
};

/** Whoever may not ask models may still ask these. */
const OPEN = { security: [] };

/** One operation of a model: on its default version, and on a version that is named. */
function ofModel(action: string, method: "get" | "post", operationId: string, operation: object): object {
  const named = operationId.replace("model", "modelVersion");
  return {
    [`/v2/models/{model}${action}`]: { parameters: [MODEL], [method]: { operationId, ...operation } },
    [`/v2/models/{model}/versions/{version}${action}`]: {
      parameters: [MODEL, VERSION],
      [method]: { operationId: named, ...operation },
    },
  };
}

function body(schema: string): object {
  return {
    required: false,
    content: { "application/json": { schema: { $ref: `#/components/schemas/${schema}` } } },
  };
}

const health = {
  "/v2/health/live": {
    get: {
      operationId: "serverLive",
      summary: "Is the process answering?",
      tags: ["health"],
      ...OPEN,
      responses: { 200: json("It is.", "Liveness"), ...errors() },
    },
  },
  "/v2/health/ready": {
    get: {
      operationId: "serverReady",
      summary: "Does the server want traffic?",
      description: "Not while it loads its first models, and not while it drains.",
      tags: ["health"],
      ...OPEN,
      responses: { 200: json("It does.", "Readiness"), ...errors(), 503: json("It does not.", "Readiness") },
    },
  },
  ...ofModel("/ready", "get", "modelReady", {
    summary: "Can this model be asked now?",
    tags: ["health"],
    responses: {
      200: json("It can.", "ModelReadiness"),
      ...errors(401, 404),
      503: json("It cannot.", "ModelReadiness"),
    },
  }),
};

const models = {
  "/v2": {
    get: {
      operationId: "serverMetadata",
      summary: "The server's name, version and extensions",
      tags: ["operations"],
      responses: { 200: json("What the server is.", "ServerMetadata"), ...errors(401) },
    },
  },
  ...ofModel("", "get", "modelMetadata", {
    summary: "What the model takes and gives",
    tags: ["models"],
    responses: { 200: json("Its versions, inputs and outputs.", "ModelMetadata"), ...errors(401, 404, 503) },
  }),
  ...ofModel("/config", "get", "modelConfig", {
    summary: "The model's configuration, as Triton's tools read it",
    tags: ["models"],
    responses: { 200: json("Its configuration.", "ModelConfiguration"), ...errors(401, 404, 503) },
  }),
  "/v2/models/stats": {
    get: {
      operationId: "allStatistics",
      summary: "How often every model was asked, and how long it took",
      tags: ["models"],
      responses: { 200: json("Every version in service.", "Statistics"), ...errors(401) },
    },
  },
  ...ofModel("/stats", "get", "modelStatistics", {
    summary: "How often the model was asked, and how long it took",
    tags: ["models"],
    responses: { 200: json("Its versions in service.", "Statistics"), ...errors(401, 404, 503) },
  }),
};

function repositoryOperation(operationId: string, request: string, summary: string, done: string): object {
  return {
    operationId,
    summary,
    tags: ["repository"],
    requestBody: body(request),
    responses: { 200: { description: done }, ...errors(401, 403, 404, ...WITH_BODY) },
  };
}

const repository = {
  "/v2/repository/index": {
    post: {
      operationId: "repositoryIndex",
      summary: "Every model and version of the repository, with its state",
      tags: ["repository"],
      requestBody: body("RepositoryIndexRequest"),
      responses: { 200: json("One entry a version.", "RepositoryIndex"), ...errors(401, ...WITH_BODY) },
    },
  },
  "/v2/repository/models/{model}/load": {
    parameters: [MODEL],
    post: repositoryOperation(
      "modelLoad",
      "LoadRequest",
      "Load the model's versions, or load them again",
      "They are in service.",
    ),
  },
  "/v2/repository/models/{model}/unload": {
    parameters: [MODEL],
    post: repositoryOperation(
      "modelUnload",
      "UnloadRequest",
      "Take the model out of service",
      "Requests in flight are answered still.",
    ),
  },
};

function text(operationId: string, summary: string, mediaType: string, ...further: readonly ErrorStatus[]): object {
  return {
    get: {
      operationId,
      summary,
      tags: ["operations"],
      ...OPEN,
      responses: {
        200: { description: summary, content: { [mediaType]: { schema: { type: "string" } } } },
        ...errors(...further),
      },
    },
  };
}

const operations = {
  "/metrics": text("metrics", "Figures in Prometheus' text format", "text/plain", 404),
  "/openapi.json": {
    get: {
      operationId: "openApi",
      summary: "This description",
      tags: ["operations"],
      ...OPEN,
      responses: {
        200: { description: "OpenAPI 3.1.", content: { "application/json": { schema: { type: "object" } } } },
        ...errors(),
      },
    },
  },
  "/": text("console", "A page to look at the models and try them", "text/html"),
};

/** Every path of the server. */
export const paths: Readonly<Record<string, object>> = {
  ...operations,
  ...models,
  ...ofModel("/infer", "post", "modelInfer", inference),
  ...health,
  ...repository,
};

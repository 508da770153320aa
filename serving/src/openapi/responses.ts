/** The errors of this server: status, name in the description, when, and the headers that come with it. */
const ERRORS = {
  400: ["BadRequest", "The request fits neither the protocol nor the model, or is no valid HTTP.", {}],
  401: [
    "Unauthorized",
    "The server wants a bearer token, and this is none of its own.",
    { "WWW-Authenticate": "string" },
  ],
  403: ["Forbidden", "The server was not told to let clients load and unload models.", {}],
  404: ["NotFound", "There is no such model or version, or nothing at this path.", {}],
  405: ["MethodNotAllowed", "This path has no such method.", { Allow: "string" }],
  408: ["RequestTimeout", "The request took too long to arrive.", {}],
  413: [
    "ContentTooLarge",
    "The body, its JSON or the number of its BYTES elements is above the server's limit, as sent or once decompressed.",
    {},
  ],
  415: [
    "UnsupportedMediaType",
    "The body is compressed in a way that the server does not know.",
    { "Accept-Encoding": "string" },
  ],
  429: ["TooManyRequests", "The model's queue is full.", { "Retry-After": "integer" }],
  431: ["HeadersTooLarge", "The request's headers are too large.", {}],
  500: [
    "InternalServerError",
    "The model failed: memory ran out, its thread ended, or it did not run at warm-up either.",
    {},
  ],
  503: [
    "ServiceUnavailable",
    "The model is not ready, the server is leaving, or it holds too much already to take this body.",
    { "Retry-After": "integer" },
  ],
  504: ["DeadlineExceeded", "The request's time was over before the model had computed it.", {}],
} as const satisfies Record<number, readonly [string, string, Readonly<Record<string, "string" | "integer">>]>;

export type ErrorStatus = keyof typeof ERRORS;

/** The named responses that operations refer to. */
export const responses: Readonly<Record<string, object>> = Object.fromEntries(
  Object.values(ERRORS).map(([name, description, headers]) => [
    name,
    {
      description,
      headers: Object.fromEntries(Object.entries(headers).map(([header, type]) => [header, { schema: { type } }])),
      content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
    },
  ]),
);

/** What any request may be answered: the parser and the limits come before the route. */
const ANYWHERE = [400, 405, 408, 431, 500] as const;
/** What a request with a body may be answered besides. */
export const WITH_BODY = [413, 415, 503] as const;

/** The error responses of an operation: those that it may always have, and these. */
export function errors(...statuses: readonly ErrorStatus[]): Record<string, object> {
  const all = [...new Set<ErrorStatus>([...ANYWHERE, ...statuses])].sort((a, b) => a - b);
  return Object.fromEntries(all.map((status) => [status, { $ref: `#/components/responses/${ERRORS[status][0]}` }]));
}

/** A response whose body is JSON of a named schema. */
export function json(description: string, schema: string): object {
  return { description, content: { "application/json": { schema: { $ref: `#/components/schemas/${schema}` } } } };
}

import type { Check } from "./check.ts";
import type { Answer, Client } from "./client.ts";
import { datatypes } from "./tensor.ts";

/** What a model says about one of its inputs or outputs. */
export interface TensorMetadata {
  readonly name: string;
  readonly datatype: string;
  /** -1 where any size fits. */
  readonly shape: readonly number[];
}

interface Rule {
  readonly name: string;
  readonly send: (client: Client, model: string) => Promise<Answer>;
  /** Why the answer does not conform, or undefined. */
  readonly check: (status: number, body: unknown, model: string) => string | undefined;
}

const path = (model: string) => `/v2/models/${encodeURIComponent(model)}`;
const ok = (status: number) => (status === 200 ? undefined : `HTTP ${status}, expected 200`);

/** Source: Open Inference Protocol 2, rest/inference_rest.md, "HTTP/REST". */
const rules: readonly Rule[] = [
  { name: "server is live", send: (client) => client.get("/v2/health/live"), check: ok },
  { name: "server is ready", send: (client) => client.get("/v2/health/ready"), check: ok },
  { name: "model is ready", send: (client, model) => client.get(`${path(model)}/ready`), check: ok },
  {
    name: "server metadata has name, version and extensions",
    send: (client) => client.get("/v2"),
    check: (status, body) => ok(status) ?? serverMetadataFault(body),
  },
  {
    name: "model metadata has name, platform, inputs and outputs",
    send: (client, model) => client.get(path(model)),
    check: (status, body, model) => ok(status) ?? modelMetadataFault(body, model),
  },
  {
    name: "an unknown model is refused with an error in JSON",
    send: (client) => client.get(path("no-such-model-7c1e")),
    check: (status, body) => refusalFault(status, body),
  },
  {
    name: "a malformed request is refused with an error in JSON",
    send: (client, model) => client.post(`${path(model)}/infer`, '{"inputs": 7', "a malformed request"),
    check: (status, body) => refusalFault(status, body),
  },
];

/**
 * Checks that a server speaks the protocol: health, metadata, and refusals. Adds to `checks`, and returns the model's inputs,
 * where its metadata could be read.
 */
export async function checkConformance(
  client: Client,
  model: string,
  checks: Check[],
): Promise<readonly TensorMetadata[]> {
  let inputs: readonly TensorMetadata[] = [];
  for (const { name, send, check } of rules) {
    const answer = await send(client, model);
    const body = parseOrUndefined(answer.text);
    const fault = check(answer.status, body, model);
    if (name.startsWith("model metadata") && !fault) inputs = (body as { inputs: TensorMetadata[] }).inputs;
    const verdict = fault === undefined ? "pass" : "fail";
    checks.push({ suite: "conformance", name, verdict, message: fault ?? "", seconds: answer.milliseconds / 1_000 });
  }
  return inputs;
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function serverMetadataFault(body: unknown): string | undefined {
  const { name, version, extensions } = (body ?? {}) as Record<string, unknown>;
  if (typeof name !== "string") return "'name' is not a text";
  if (typeof version !== "string") return "'version' is not a text";
  return Array.isArray(extensions) ? undefined : "'extensions' is not a list";
}

function modelMetadataFault(body: unknown, model: string): string | undefined {
  const { name, platform, inputs, outputs } = (body ?? {}) as Record<string, unknown>;
  if (name !== model) return `'name' is ${JSON.stringify(name)}, expected '${model}'`;
  if (typeof platform !== "string") return "'platform' is not a text";
  for (const [key, list] of Object.entries({ inputs, outputs })) {
    if (!Array.isArray(list) || list.length === 0) return `'${key}' is not a list of tensors`;
    const fault = list.map(tensorFault).find((one) => one !== undefined);
    if (fault) return `'${key}': ${fault}`;
  }
  return undefined;
}

function tensorFault(value: unknown): string | undefined {
  const { name, datatype, shape } = (value ?? {}) as Record<string, unknown>;
  if (typeof name !== "string") return "a tensor has no name";
  if (!(datatypes as readonly unknown[]).includes(datatype))
    return `${name} has the datatype ${JSON.stringify(datatype)}`;
  const whole = Array.isArray(shape) && shape.every((size) => Number.isInteger(Number(size)) && Number(size) >= -1);
  return whole ? undefined : `${name} has no shape of whole numbers`;
}

function refusalFault(status: number, body: unknown): string | undefined {
  if (status < 400 || status > 499) return `HTTP ${status}, expected 400 to 499`;
  const error = (body as { error?: unknown } | null | undefined)?.error;
  return typeof error === "string" && error !== "" ? undefined : "the answer has no text in 'error'";
}

/** Answers of the routes that are not inference: small, rare, JSON. */
import { badRequest, ProtocolError } from "../protocol/error.ts";
import { modelMetadata, serverMetadata } from "../protocol/metadata.ts";
import { modelConfig } from "../protocol/model-config.ts";
import { checkRepositoryParameters, repositoryIndex } from "../protocol/repository.ts";
import { statisticsOf } from "../protocol/statistics.ts";
import type { Service } from "../service.ts";
import { JsonCursor } from "./json/cursor.ts";

/** A status and a value to be sent as JSON; undefined: no body. */
export interface ManagementAnswer {
  readonly status: number;
  readonly value: unknown;
}

export function health(kind: "live" | "ready", service: Service): ManagementAnswer {
  if (kind === "live") return { status: 200, value: { live: true } };
  const ready = service.isReady();
  return { status: ready ? 200 : 503, value: { live: true, ready } };
}

export function server(service: Service): ManagementAnswer {
  return { status: 200, value: serverMetadata(service.version) };
}

/** @throws ProtocolError when there is no such model or version, or it is not ready */
export function model(
  { catalog }: Service,
  kind: "model" | "model-ready" | "config" | "model-statistics",
  name: string,
  version: string | undefined,
): ManagementAnswer {
  if (kind === "model-ready") {
    const ready = catalog.isReady(name, version);
    return { status: ready ? 200 : 503, value: { name, ready } };
  }
  const found = catalog.get(name, version);
  switch (kind) {
    case "model": {
      const versions = version === undefined ? catalog.versions(name) : [found.version];
      return { status: 200, value: modelMetadata(found.name, versions, found) };
    }
    case "config":
      return { status: 200, value: modelConfig(found) };
    case "model-statistics": {
      const versions = version === undefined ? catalog.versions(name) : [found.version];
      return { status: 200, value: statisticsOf(versions.map((each) => catalog.get(name, each))) };
    }
  }
}

export function statistics({ catalog }: Service): ManagementAnswer {
  return { status: 200, value: statisticsOf(catalog.models()) };
}

/** @throws ProtocolError (400) when the body is not what the extension defines */
export function index({ catalog }: Service, body: Buffer): ManagementAnswer {
  const { ready } = readObject(body);
  if (ready !== undefined && typeof ready !== "boolean") throw badRequest("'ready' must be true or false");
  return { status: 200, value: repositoryIndex(catalog.index(), ready === true) };
}

/**
 * Loads or unloads a model, where clients may.
 *
 * @throws ProtocolError
 */
export async function control(
  service: Service,
  action: "load" | "unload",
  name: string,
  body: Buffer,
): Promise<ManagementAnswer> {
  if (!service.modelControl) {
    throw new ProtocolError(
      403,
      `clients may not ${action} models here: start the server with --model-control explicit`,
    );
  }
  const { parameters } = readObject(body);
  if (parameters !== undefined) {
    if (typeof parameters !== "object" || parameters === null || Array.isArray(parameters)) {
      throw badRequest("'parameters' must be an object");
    }
    checkRepositoryParameters(action, Object.keys(parameters));
  }
  await service.catalog[action](name);
  service.log.info(`model ${action}ed by request`, { model: name });
  return { status: 200, value: undefined };
}

/** A body that may be left out. */
function readObject(body: Buffer): Readonly<Record<string, unknown>> {
  if (body.length === 0) return {};
  const cursor = new JsonCursor(body);
  const kind = cursor.kind();
  const value = cursor.value("the request body");
  cursor.end();
  if (kind !== "an object") throw badRequest(`the request body is ${kind}, expected an object`);
  return value as Readonly<Record<string, unknown>>;
}

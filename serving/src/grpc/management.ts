import type { Model } from "../models/model.ts";
import { ProtocolError } from "../protocol/error.ts";
import { modelMetadata, serverMetadata } from "../protocol/metadata.ts";
import { modelConfig } from "../protocol/model-config.ts";
import { checkRepositoryParameters, repositoryIndex } from "../protocol/repository.ts";
import { statisticsOf } from "../protocol/statistics.ts";
import type { Service } from "../service.ts";
import type { Answer } from "./call.ts";
import * as messages from "./messages/inference.ts";
import { decode } from "./protobuf/decode.ts";
import { encode } from "./protobuf/encode.ts";

/** Health of the server, which is asked for without a token. */
export function healthAnswers({ isReady }: Service): Readonly<Record<string, Answer>> {
  return {
    ServerLive: () => encode(messages.ServerLiveResponse, { live: true }),
    ServerReady: () => encode(messages.ServerReadyResponse, { ready: isReady() }),
  };
}

/** What the server and its models are, and what they did. */
export function metadataAnswers({ catalog, version }: Service): Readonly<Record<string, Answer>> {
  return {
    ServerMetadata: () => encode(messages.ServerMetadataResponse, serverMetadata(version)),
    ModelReady: (request) => {
      const asked = decode(messages.ModelReadyRequest, request);
      return encode(messages.ModelReadyResponse, { ready: catalog.isReady(asked.name, optional(asked.version)) });
    },
    ModelMetadata: (request) => {
      const asked = decode(messages.ModelMetadataRequest, request);
      const model = catalog.get(asked.name, optional(asked.version));
      const versions = asked.version === "" ? catalog.versions(asked.name) : [model.version];
      return encode(messages.ModelMetadataResponse, modelMetadata(model.name, versions, model));
    },
    ModelConfig: (request) => {
      const asked = decode(messages.ModelConfigRequest, request);
      const config = modelConfig(catalog.get(asked.name, optional(asked.version)));
      return encode(messages.ModelConfigResponse, { config });
    },
    ModelStatistics: (request) => {
      const asked = decode(messages.ModelStatisticsRequest, request);
      return encode(messages.ModelStatisticsResponse, statisticsOf(modelsAsked(catalog, asked.name, asked.version)));
    },
  };
}

/** The model repository. */
export function repositoryAnswers(service: Service): Readonly<Record<string, Answer>> {
  const { catalog } = service;
  return {
    RepositoryIndex: (request) => {
      const { ready } = decode(messages.RepositoryIndexRequest, request);
      return encode(messages.RepositoryIndexResponse, { models: repositoryIndex(catalog.index(), ready) });
    },
    RepositoryModelLoad: async (request) => {
      await control(service, "load", () => decode(messages.RepositoryModelLoadRequest, request));
      return encode(messages.RepositoryModelLoadResponse, {});
    },
    RepositoryModelUnload: async (request) => {
      await control(service, "unload", () => decode(messages.RepositoryModelUnloadRequest, request));
      return encode(messages.RepositoryModelUnloadResponse, {});
    },
  };
}

/** Loads or unloads a model, where clients may. */
async function control(
  { catalog, modelControl, log }: Service,
  action: "load" | "unload",
  read: () => { readonly model_name: string; readonly parameters: readonly string[] },
): Promise<void> {
  if (!modelControl) {
    throw new ProtocolError(
      403,
      `clients may not ${action} models here: start the server with --model-control explicit`,
    );
  }
  const { model_name: model, parameters } = read();
  checkRepositoryParameters(action, parameters);
  await catalog[action](model);
  log.info(`model ${action}ed by request`, { model });
}

/** Proto3 has no absent text: an empty one is none. */
function optional(text: string): string | undefined {
  return text === "" ? undefined : text;
}

/** Every version that is ready, of one model or of all. */
function modelsAsked(catalog: Service["catalog"], name: string, version: string): readonly Model[] {
  if (name === "") return catalog.models();
  const versions = version === "" ? catalog.versions(name) : [version];
  return versions.map((one) => catalog.get(name, one));
}

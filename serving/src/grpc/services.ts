import * as health from "./messages/health.ts";
import * as inference from "./messages/inference.ts";
import type { MessageSchema } from "./protobuf/schema.ts";

/** One method of a service. */
export interface MethodSchema {
  readonly request: MessageSchema;
  readonly response: MessageSchema;
  readonly requestStream?: boolean;
  readonly responseStream?: boolean;
}

export interface ServiceSchema {
  /** Such as `grpc.health.v1`. */
  readonly package: string;
  readonly name: string;
  readonly methods: Readonly<Record<string, MethodSchema>>;
}

/** The Open Inference Protocol and Triton's extensions of it. */
export const InferenceService: ServiceSchema = {
  package: "inference",
  name: "GRPCInferenceService",
  methods: {
    ServerLive: { request: inference.ServerLiveRequest, response: inference.ServerLiveResponse },
    ServerReady: { request: inference.ServerReadyRequest, response: inference.ServerReadyResponse },
    ModelReady: { request: inference.ModelReadyRequest, response: inference.ModelReadyResponse },
    ServerMetadata: { request: inference.ServerMetadataRequest, response: inference.ServerMetadataResponse },
    ModelMetadata: { request: inference.ModelMetadataRequest, response: inference.ModelMetadataResponse },
    ModelInfer: { request: inference.ModelInferRequest, response: inference.ModelInferResponse },
    ModelStreamInfer: {
      request: inference.ModelInferRequest,
      response: inference.ModelStreamInferResponse,
      requestStream: true,
      responseStream: true,
    },
    ModelConfig: { request: inference.ModelConfigRequest, response: inference.ModelConfigResponse },
    ModelStatistics: { request: inference.ModelStatisticsRequest, response: inference.ModelStatisticsResponse },
    RepositoryIndex: { request: inference.RepositoryIndexRequest, response: inference.RepositoryIndexResponse },
    RepositoryModelLoad: {
      request: inference.RepositoryModelLoadRequest,
      response: inference.RepositoryModelLoadResponse,
    },
    RepositoryModelUnload: {
      request: inference.RepositoryModelUnloadRequest,
      response: inference.RepositoryModelUnloadResponse,
    },
  },
};

export const HealthService: ServiceSchema = {
  package: "grpc.health.v1",
  name: "Health",
  methods: {
    Check: { request: health.HealthCheckRequest, response: health.HealthCheckResponse },
    Watch: { request: health.HealthCheckRequest, response: health.HealthCheckResponse, responseStream: true },
  },
};

/** Such as `grpc.health.v1.Health`. */
export function fullName({ package: prefix, name }: ServiceSchema): string {
  return `${prefix}.${name}`;
}

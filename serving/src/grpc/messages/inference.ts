/**
 * The messages of `inference.GRPCInferenceService`: field names and numbers as published in
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/open_inference_grpc.proto and, for
 * Triton's extensions, https://github.com/triton-inference-server/common/blob/main/protobuf/grpc_service.proto
 */
import { choice, many, map, message, one } from "../protobuf/schema.ts";
import { ModelConfig } from "./model-config.ts";

export const ServerLiveRequest = message("ServerLiveRequest", {});
export const ServerLiveResponse = message("ServerLiveResponse", { live: one(1, "bool") });

export const ServerReadyRequest = message("ServerReadyRequest", {});
export const ServerReadyResponse = message("ServerReadyResponse", { ready: one(1, "bool") });

export const ModelReadyRequest = message("ModelReadyRequest", { name: one(1, "string"), version: one(2, "string") });
export const ModelReadyResponse = message("ModelReadyResponse", { ready: one(1, "bool") });

export const ServerMetadataRequest = message("ServerMetadataRequest", {});
export const ServerMetadataResponse = message("ServerMetadataResponse", {
  name: one(1, "string"),
  version: one(2, "string"),
  extensions: many(3, "string"),
});

export const ModelMetadataRequest = message("ModelMetadataRequest", {
  name: one(1, "string"),
  version: one(2, "string"),
});
const TensorMetadata = message("ModelMetadataResponse.TensorMetadata", {
  name: one(1, "string"),
  datatype: one(2, "string"),
  shape: many(3, "int64"),
});
export const ModelMetadataResponse = message("ModelMetadataResponse", {
  name: one(1, "string"),
  versions: many(2, "string"),
  platform: one(3, "string"),
  inputs: many(4, TensorMetadata),
  outputs: many(5, TensorMetadata),
});

const InferParameter = message("InferParameter", {
  bool_param: choice("parameter_choice", 1, "bool"),
  int64_param: choice("parameter_choice", 2, "int64"),
  string_param: choice("parameter_choice", 3, "string"),
  double_param: choice("parameter_choice", 4, "double"),
  uint64_param: choice("parameter_choice", 5, "uint64"),
});
const InferTensorContents = message("InferTensorContents", {
  bool_contents: many(1, "bool"),
  int_contents: many(2, "int32"),
  int64_contents: many(3, "int64"),
  uint_contents: many(4, "uint32"),
  uint64_contents: many(5, "uint64"),
  fp32_contents: many(6, "float"),
  fp64_contents: many(7, "double"),
  bytes_contents: many(8, "bytes"),
});
const tensorFields = {
  name: one(1, "string"),
  datatype: one(2, "string"),
  shape: many(3, "int64"),
  parameters: map(4, InferParameter),
  contents: one(5, InferTensorContents),
};

/** Read and written by hand, in `infer/`: this describes them to reflection. */
export const ModelInferRequest = message("ModelInferRequest", {
  model_name: one(1, "string"),
  model_version: one(2, "string"),
  id: one(3, "string"),
  parameters: map(4, InferParameter),
  inputs: many(5, message("ModelInferRequest.InferInputTensor", tensorFields)),
  outputs: many(
    6,
    message("ModelInferRequest.InferRequestedOutputTensor", {
      name: one(1, "string"),
      parameters: map(2, InferParameter),
    }),
  ),
  raw_input_contents: many(7, "bytes"),
});
export const ModelInferResponse = message("ModelInferResponse", {
  model_name: one(1, "string"),
  model_version: one(2, "string"),
  id: one(3, "string"),
  parameters: map(4, InferParameter),
  outputs: many(5, message("ModelInferResponse.InferOutputTensor", tensorFields)),
  raw_output_contents: many(6, "bytes"),
});
export const ModelStreamInferResponse = message("ModelStreamInferResponse", {
  error_message: one(1, "string"),
  infer_response: one(2, ModelInferResponse),
});

export const ModelConfigRequest = message("ModelConfigRequest", { name: one(1, "string"), version: one(2, "string") });
export const ModelConfigResponse = message("ModelConfigResponse", { config: one(1, ModelConfig) });

export const ModelStatisticsRequest = message("ModelStatisticsRequest", {
  name: one(1, "string"),
  version: one(2, "string"),
});
const StatisticDuration = message("StatisticDuration", { count: one(1, "uint64"), ns: one(2, "uint64") });
const InferStatistics = message("InferStatistics", {
  success: one(1, StatisticDuration),
  fail: one(2, StatisticDuration),
  queue: one(3, StatisticDuration),
  compute_input: one(4, StatisticDuration),
  compute_infer: one(5, StatisticDuration),
  compute_output: one(6, StatisticDuration),
  cache_hit: one(7, StatisticDuration),
  cache_miss: one(8, StatisticDuration),
});
const InferBatchStatistics = message("InferBatchStatistics", {
  batch_size: one(1, "uint64"),
  compute_input: one(2, StatisticDuration),
  compute_infer: one(3, StatisticDuration),
  compute_output: one(4, StatisticDuration),
});
const ModelStatistics = message("ModelStatistics", {
  name: one(1, "string"),
  version: one(2, "string"),
  last_inference: one(3, "uint64"),
  inference_count: one(4, "uint64"),
  execution_count: one(5, "uint64"),
  inference_stats: one(6, InferStatistics),
  batch_stats: many(7, InferBatchStatistics),
});
export const ModelStatisticsResponse = message("ModelStatisticsResponse", { model_stats: many(1, ModelStatistics) });

const ModelRepositoryParameter = message("ModelRepositoryParameter", {
  bool_param: choice("parameter_choice", 1, "bool"),
  int64_param: choice("parameter_choice", 2, "int64"),
  string_param: choice("parameter_choice", 3, "string"),
  bytes_param: choice("parameter_choice", 4, "bytes"),
});
export const RepositoryIndexRequest = message("RepositoryIndexRequest", {
  repository_name: one(1, "string"),
  ready: one(2, "bool"),
});
export const RepositoryIndexResponse = message("RepositoryIndexResponse", {
  models: many(
    1,
    message("RepositoryIndexResponse.ModelIndex", {
      name: one(1, "string"),
      version: one(2, "string"),
      state: one(3, "string"),
      reason: one(4, "string"),
    }),
  ),
});
const repositoryModelFields = {
  repository_name: one(1, "string"),
  model_name: one(2, "string"),
  parameters: map(3, ModelRepositoryParameter),
};
export const RepositoryModelLoadRequest = message("RepositoryModelLoadRequest", repositoryModelFields);
export const RepositoryModelLoadResponse = message("RepositoryModelLoadResponse", {});
export const RepositoryModelUnloadRequest = message("RepositoryModelUnloadRequest", repositoryModelFields);
export const RepositoryModelUnloadResponse = message("RepositoryModelUnloadResponse", {});

/**
 * Triton's `ModelConfig`, as far as this server has something to say: field names and numbers as published in
 * https://github.com/triton-inference-server/common/blob/main/protobuf/model_config.proto
 */
import { choice, enumeration, many, map, message, one } from "../protobuf/schema.ts";

const DataType = enumeration("DataType", [
  "TYPE_INVALID",
  "TYPE_BOOL",
  "TYPE_UINT8",
  "TYPE_UINT16",
  "TYPE_UINT32",
  "TYPE_UINT64",
  "TYPE_INT8",
  "TYPE_INT16",
  "TYPE_INT32",
  "TYPE_INT64",
  "TYPE_FP16",
  "TYPE_FP32",
  "TYPE_FP64",
  "TYPE_STRING",
  "TYPE_BF16",
]);

const ModelInput = message("ModelInput", {
  name: one(1, "string"),
  data_type: one(2, DataType),
  format: one(3, enumeration("ModelInput.Format", ["FORMAT_NONE", "FORMAT_NHWC", "FORMAT_NCHW"])),
  dims: many(4, "int64"),
  is_shape_tensor: one(6, "bool"),
  allow_ragged_batch: one(7, "bool"),
  optional: one(8, "bool"),
});

const ModelOutput = message("ModelOutput", {
  name: one(1, "string"),
  data_type: one(2, DataType),
  dims: many(3, "int64"),
  label_filename: one(4, "string"),
  is_shape_tensor: one(6, "bool"),
});

const ModelVersionPolicy = message("ModelVersionPolicy", {
  latest: choice("policy_choice", 1, message("ModelVersionPolicy.Latest", { num_versions: one(1, "uint32") })),
  all: choice("policy_choice", 2, message("ModelVersionPolicy.All", {})),
  specific: choice("policy_choice", 3, message("ModelVersionPolicy.Specific", { versions: many(1, "int64") })),
});

const ModelInstanceGroup = message("ModelInstanceGroup", {
  name: one(1, "string"),
  count: one(2, "int32"),
  kind: one(4, enumeration("ModelInstanceGroup.Kind", ["KIND_AUTO", "KIND_GPU", "KIND_CPU", "KIND_MODEL"])),
});

const ModelQueuePolicy = message("ModelQueuePolicy", {
  timeout_action: one(1, enumeration("ModelQueuePolicy.TimeoutAction", ["REJECT", "DELAY"])),
  default_timeout_microseconds: one(2, "uint64"),
  allow_timeout_override: one(3, "bool"),
  max_queue_size: one(4, "uint32"),
});

const ModelDynamicBatching = message("ModelDynamicBatching", {
  preferred_batch_size: many(1, "int32"),
  max_queue_delay_microseconds: one(2, "uint64"),
  preserve_ordering: one(3, "bool"),
  default_queue_policy: one(6, ModelQueuePolicy),
});

export const ModelConfig = message("ModelConfig", {
  name: one(1, "string"),
  platform: one(2, "string"),
  version_policy: one(3, ModelVersionPolicy),
  max_batch_size: one(4, "int32"),
  input: many(5, ModelInput),
  output: many(6, ModelOutput),
  instance_group: many(7, ModelInstanceGroup),
  default_model_filename: one(8, "string"),
  dynamic_batching: choice("scheduling_choice", 11, ModelDynamicBatching),
  parameters: map(14, message("ModelParameter", { string_value: one(1, "string") })),
  backend: one(17, "string"),
});

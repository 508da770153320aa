const COUNT = { type: "integer", minimum: 0 };
const TENSORS = {
  type: "array",
  items: {
    type: "object",
    required: ["name", "data_type", "dims"],
    properties: {
      name: { type: "string" },
      data_type: { type: "string", pattern: "^TYPE_", examples: ["TYPE_FP32"] },
      dims: { type: "array", items: { type: "integer", minimum: -1 } },
    },
  },
};

/** How often something happened, and how long it took in all. */
const DURATION = {
  type: "object",
  required: ["count", "ns"],
  properties: { count: COUNT, ns: { ...COUNT, description: "Nanoseconds in all." } },
};

/** What Triton's tools read beside the protocol: repository, configuration, statistics. */
export const managementSchemas: Readonly<Record<string, object>> = {
  RepositoryIndexRequest: {
    type: "object",
    properties: { ready: { type: "boolean", description: "Only models that can be asked now.", default: false } },
  },
  RepositoryIndex: {
    type: "array",
    items: {
      type: "object",
      required: ["name", "state", "reason"],
      properties: {
        name: { type: "string", examples: ["digits"] },
        version: { type: "string", description: "Absent when the versions are not known.", examples: ["1"] },
        state: { type: "string", enum: ["READY", "LOADING", "UNLOADING", "UNAVAILABLE"] },
        reason: { type: "string", description: "Why it is not ready; empty when it is." },
      },
    },
  },
  LoadRequest: {
    type: "object",
    properties: {
      parameters: {
        type: "object",
        description: "None: models are loaded as they lie in the repository.",
        maxProperties: 0,
      },
    },
  },
  UnloadRequest: {
    type: "object",
    properties: {
      parameters: {
        type: "object",
        properties: { unload_dependents: { description: "No model depends on another: changes nothing." } },
        additionalProperties: false,
      },
    },
  },
  ModelConfiguration: {
    type: "object",
    description: "The model's configuration in the form of Triton's `ModelConfig`.",
    required: ["name", "platform", "max_batch_size", "input", "output"],
    properties: {
      name: { type: "string" },
      platform: { type: "string" },
      backend: { type: "string" },
      max_batch_size: { ...COUNT, description: "0: the first dimension is no batch dimension that the server adds." },
      input: TENSORS,
      output: TENSORS,
    },
  },
  Statistics: {
    type: "object",
    required: ["model_stats"],
    properties: { model_stats: { type: "array", items: { $ref: "#/components/schemas/ModelStatistics" } } },
  },
  ModelStatistics: {
    type: "object",
    required: ["name", "version", "last_inference", "inference_count", "execution_count", "inference_stats"],
    properties: {
      name: { type: "string" },
      version: { type: "string" },
      last_inference: { ...COUNT, description: "Milliseconds since 1970; 0 before the first." },
      inference_count: { ...COUNT, description: "Inferences; a request with a batch of n counts n." },
      execution_count: { ...COUNT, description: "Runs of the model." },
      inference_stats: {
        type: "object",
        required: ["success", "fail", "queue", "compute_input", "compute_infer", "compute_output"],
        additionalProperties: DURATION,
      },
      batch_stats: {
        type: "array",
        items: {
          type: "object",
          required: ["batch_size"],
          properties: { batch_size: COUNT },
          additionalProperties: DURATION,
        },
      },
    },
  },
};

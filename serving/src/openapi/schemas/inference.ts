const REQUEST_PARAMETERS = {
  type: "object",
  description: "Others are ignored.",
  properties: {
    timeout: { type: "number", minimum: 0, description: "How long the client waits, in microseconds; 0: not said." },
    binary_data_output: { type: "boolean", description: "Whether the outputs are wanted in binary.", default: false },
  },
};
const OUTPUT_PARAMETERS = {
  type: "object",
  description: "Others are ignored.",
  properties: {
    binary_data: {
      type: "boolean",
      description: "Whether this output is wanted in binary; the request's say by default.",
    },
    classification: { description: "Not supported: ask for the tensor.", not: {} },
  },
};

/** Requests and answers of an inference, and what describes server and models. */
export const inferenceSchemas: Readonly<Record<string, object>> = {
  Error: {
    type: "object",
    required: ["error"],
    properties: { error: { type: "string", description: "What was wrong, and of which input or output." } },
    additionalProperties: false,
    examples: [{ error: "input 'x': 'data' holds 3 elements, but shape [2,2] needs 4" }],
  },
  InferenceRequest: {
    type: "object",
    required: ["inputs"],
    properties: {
      id: { type: "string", description: "Comes back in the answer." },
      parameters: REQUEST_PARAMETERS,
      inputs: {
        type: "array",
        description: "Each of the model's inputs once, in any order.",
        items: { $ref: "#/components/schemas/TensorInput" },
      },
      outputs: {
        type: "array",
        description: "The outputs wanted, in this order; all when absent or empty.",
        items: {
          type: "object",
          required: ["name"],
          properties: { name: { type: "string", examples: ["y"] }, parameters: OUTPUT_PARAMETERS },
        },
      },
    },
    examples: [{ id: "1", inputs: [{ name: "x", datatype: "FP32", shape: [1, 2], data: [[0.5, 1.5]] }] }],
  },
  InferenceResponse: {
    type: "object",
    required: ["model_name", "model_version", "outputs"],
    properties: {
      model_name: { type: "string" },
      model_version: { type: "string", description: "The version that answered." },
      id: { type: "string", description: "The request's; absent when it had none." },
      outputs: { type: "array", items: { $ref: "#/components/schemas/TensorOutput" } },
    },
    examples: [
      {
        model_name: "digits",
        model_version: "1",
        id: "1",
        outputs: [{ name: "y", datatype: "FP32", shape: [1, 2], data: [0.5, 1.5] }],
      },
    ],
  },
  ServerMetadata: {
    type: "object",
    required: ["name", "version", "extensions"],
    properties: {
      name: { type: "string" },
      version: { type: "string" },
      extensions: { type: "array", items: { type: "string" }, examples: [["binary_tensor_data", "statistics"]] },
    },
  },
  ModelMetadata: {
    type: "object",
    required: ["name", "versions", "platform", "inputs", "outputs"],
    properties: {
      name: { type: "string", examples: ["digits"] },
      versions: {
        type: "array",
        items: { type: "string" },
        description: "The versions that can be asked for.",
        examples: [["1", "2"]],
      },
      platform: { const: "onnx_onnxv1" },
      inputs: { type: "array", items: { $ref: "#/components/schemas/TensorMetadata" } },
      outputs: { type: "array", items: { $ref: "#/components/schemas/TensorMetadata" } },
    },
  },
  Liveness: { type: "object", required: ["live"], properties: { live: { type: "boolean" } } },
  Readiness: {
    type: "object",
    required: ["live", "ready"],
    properties: { live: { type: "boolean" }, ready: { type: "boolean" } },
  },
  ModelReadiness: {
    type: "object",
    required: ["name", "ready"],
    properties: { name: { type: "string" }, ready: { type: "boolean" } },
  },
};

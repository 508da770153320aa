import { errors, json, WITH_BODY } from "./responses.ts";

const HEADER_LENGTH = {
  description: "Length in bytes of the JSON that the body begins with; the binary tensors follow it.",
  schema: { type: "integer", minimum: 0 },
};

const BINARY_REQUEST = [
  "Binary tensors: the body begins with the JSON, as long as `Inference-Header-Content-Length` says. An input has the",
  "parameter `binary_data_size` in place of `data`; those bytes follow the JSON in the order of the inputs,",
  "little-endian, each BYTES element as its length in four bytes and then its bytes. With a length of 0 the whole body is",
  "the raw tensor of a model that has one input.",
].join(" ");

const BINARY_RESPONSE = [
  "Binary tensors, when asked for with `binary_data` or `binary_data_output`: JSON as long as",
  "`Inference-Header-Content-Length` says, then the tensors whose `binary_data_size` it gives.",
].join(" ");

const BINARY = { schema: { type: "string", format: "binary" } };

/** An inference, whichever version it is asked of. */
export const inference: object = {
  summary: "Run the model",
  description: `The media type of the request is not looked at: a body is JSON, unless the header below says that binary tensors follow it.\n\n${BINARY_REQUEST}`,
  tags: ["inference"],
  parameters: [{ name: "Inference-Header-Content-Length", in: "header", required: false, ...HEADER_LENGTH }],
  requestBody: {
    required: true,
    description: BINARY_REQUEST,
    content: {
      "application/json": { schema: { $ref: "#/components/schemas/InferenceRequest" } },
      "application/octet-stream": BINARY,
    },
  },
  responses: {
    200: {
      ...json(`The outputs. ${BINARY_RESPONSE}`, "InferenceResponse"),
      headers: { "Inference-Header-Content-Length": { required: false, ...HEADER_LENGTH } },
      content: {
        "application/json": { schema: { $ref: "#/components/schemas/InferenceResponse" } },
        "application/octet-stream": BINARY,
      },
    },
    ...errors(401, 404, ...WITH_BODY, 429, 504),
  },
};

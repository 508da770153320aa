import { paths } from "./paths.ts";
import { responses } from "./responses.ts";
import { inferenceSchemas } from "./schemas/inference.ts";
import { managementSchemas } from "./schemas/management.ts";
import { tensorSchemas } from "./schemas/tensors.ts";

/**
 * The OpenAPI 3.1 description of the whole REST interface, as `GET /openapi.json` answers it. Operation ids are stable:
 * generated clients name their functions after them.
 *
 * @param version this server's own version
 * @see https://spec.openapis.org/oas/v3.1.1.html
 */
export function openApiDocument(version: string): object {
  return {
    openapi: "3.1.0",
    info: {
      title: "model-server",
      summary: "ONNX models by the Open Inference Protocol v2",
      description: DESCRIPTION,
      version,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    // Relative to this document, so that it holds behind a proxy that serves the server below a path of its own.
    servers: [{ url: ".", description: "this server" }],
    security: [{}, { bearer: [] }],
    tags: [
      { name: "health", description: "Is the server alive, and does it want traffic?" },
      { name: "models", description: "What a model takes and gives." },
      { name: "inference", description: "Tensors in, tensors out." },
      { name: "repository", description: "Which models there are; load and unload them." },
      { name: "operations", description: "What the server says about itself." },
    ],
    paths,
    components: {
      schemas: { ...tensorSchemas, ...inferenceSchemas, ...managementSchemas },
      responses,
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "Only where the server was given tokens." },
      },
    },
  };
}

const DESCRIPTION = [
  "The [Open Inference Protocol v2](https://github.com/kserve/open-inference-protocol) over REST, with the extensions",
  "that Triton's clients use: binary tensors, model repository, model configuration, statistics.",
  "",
  "A slash at the end of a path changes nothing, a `HEAD` is answered wherever a `GET` is, and every error is",
  '`{"error": "…"}` with a sentence that says what was wrong.',
].join("\n");

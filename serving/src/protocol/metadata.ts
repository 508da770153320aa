import type { Signature } from "../models/model.ts";
import type { TensorSpec } from "../tensor/tensor.ts";

export const SERVER_NAME = "model-server";
export const PLATFORM = "onnx_onnxv1";

/** The extensions of the protocol that are answered, by the names that Triton gave them. */
export const EXTENSIONS: readonly string[] = [
  "binary_tensor_data",
  "model_configuration",
  "model_repository",
  "model_repository(unload_dependents)",
  "parameters",
  "statistics",
];

export interface ServerMetadata {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
}

/** Answer to `GET /v2` and `ServerMetadata`. */
export function serverMetadata(version: string): ServerMetadata {
  return { name: SERVER_NAME, version, extensions: EXTENSIONS };
}

export interface ModelMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** Answer to `GET /v2/models/{name}[/versions/{version}]` and `ModelMetadata`. `versions` are those that can be asked for. */
export function modelMetadata(
  name: string,
  versions: readonly string[],
  { inputs, outputs }: Signature,
): ModelMetadata {
  return { name, versions, platform: PLATFORM, inputs: inputs.map(tensor), outputs: outputs.map(tensor) };
}

function tensor({ name, datatype, shape }: TensorSpec): TensorSpec {
  return { name, datatype, shape };
}

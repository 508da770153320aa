import type { Signature } from "./infer.ts";
import type { TensorSpec } from "./tensor.ts";

/** Body of `GET /v2`. */
export function serverMetadata(version: string): object {
  return { name: "model-server", version, extensions: [] };
}

/** Body of `GET /v2/models/{name}[/versions/{version}]`. `versions` are those that can be asked for. */
export function modelMetadata(name: string, versions: readonly string[], { inputs, outputs }: Signature): object {
  return { name, versions, platform: "onnx_onnxv1", inputs: inputs.map(tensor), outputs: outputs.map(tensor) };
}

function tensor({ name, datatype, shape }: TensorSpec): object {
  return { name, datatype, shape };
}

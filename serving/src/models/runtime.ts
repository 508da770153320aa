// The one door to ONNX Runtime. The order matters: modules are evaluated in the order of their imports.
import "./telemetry.ts";

export { InferenceSession, Tensor as RuntimeTensor } from "onnxruntime-node";

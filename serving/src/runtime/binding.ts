/**
 * The one door to ONNX Runtime: its native binding, as onnxruntime-node ships it, without that package's JavaScript.
 *
 * Why not the package's `InferenceSession`: it wraps every call in a promise and a `setImmediate`, checks what was checked
 * before, and on Node 24 can neither make nor return FP16 (microsoft/onnxruntime#32323). The binding is not a public
 * interface: the version is pinned exactly, and tests go through each of its functions.
 */
import { createRequire } from "node:module";
import { isMainThread } from "node:worker_threads";

/** ONNX Runtime's own names of element types. */
export type ElementType =
  | "float32"
  | "uint8"
  | "int8"
  | "uint16"
  | "int16"
  | "int32"
  | "int64"
  | "string"
  | "bool"
  | "float16"
  | "float64"
  | "uint32"
  | "uint64";

/** A tensor in the form that the binding reads, and makes for its results. */
export class RuntimeTensor {
  readonly location = "cpu";
  readonly type: ElementType;
  readonly data: unknown;
  readonly dims: readonly number[];

  constructor(type: ElementType, data: unknown, dims: readonly number[]) {
    this.type = type;
    this.data = data;
    this.dims = dims;
  }
}

/** One input or output as the binding describes it. */
export interface ValueMetadata {
  readonly name: string;
  /** False for sequences, maps and optionals. */
  readonly isTensor: boolean;
  /** TensorProto.DataType. */
  readonly type: number;
  /** -1 for a dimension of any size. */
  readonly shape: readonly number[];
  readonly symbolicDimensions: readonly string[];
}

/** The binding's session. All calls are synchronous; failures are thrown with the runtime's message. */
export interface NativeSession {
  readonly inputMetadata: readonly ValueMetadata[];
  readonly outputMetadata: readonly ValueMetadata[];
  loadModel(path: string, options: object): void;
  /** `fetches`: outputs to compute, null for those that the runtime allocates. */
  run(
    feeds: Readonly<Record<string, RuntimeTensor>>,
    fetches: Readonly<Record<string, RuntimeTensor | null>>,
  ): Readonly<Record<string, RuntimeTensor>>;
  dispose(): void;
}

interface NativeBinding {
  readonly InferenceSession: new () => NativeSession;
  initOrtOnce(logLevel: number, tensor: typeof RuntimeTensor, isMainThread: boolean): void;
}

/** The runtime's own log: nothing, what matters is in the messages that it throws. */
const LOG_LEVEL_FATAL = 4;

// The library reads it when it is loaded. Set here, on the main thread too where only workers load it: what a worker
// sets in its environment stays in a copy, which the library does not see.
process.env.ORT_DISABLE_TELEMETRY = "1";

let binding: NativeBinding | undefined;

/** An empty session. Loads the runtime's library the first time, which takes some 20 ms. */
export function createSession(): NativeSession {
  binding ??= load();
  return new binding.InferenceSession();
}

function load(): NativeBinding {
  const path = `onnxruntime-node/bin/napi-v6/${process.platform}/${process.arch}/onnxruntime_binding.node`;
  const native = createRequire(import.meta.url)(path) as NativeBinding;
  native.initOrtOnce(LOG_LEVEL_FATAL, RuntimeTensor, isMainThread);
  return native;
}

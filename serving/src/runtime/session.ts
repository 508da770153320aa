import type { Datatype, Tensor, TensorData, TensorSpec } from "../tensor/tensor.ts";
import { createSession, type ElementType, type NativeSession, RuntimeTensor, type ValueMetadata } from "./binding.ts";
import { RunError } from "./run-error.ts";

/** How a session is made. */
export interface SessionOptions {
  /** Threads that one operator may use. */
  readonly intraOpThreads: number;
}

/** A model cannot be loaded; the message says why, without its path. */
export class SessionError extends Error {
  override readonly name = "SessionError";
}

const ELEMENT_TYPES: Readonly<Record<Datatype, ElementType>> = {
  BOOL: "bool",
  UINT8: "uint8",
  UINT16: "uint16",
  UINT32: "uint32",
  UINT64: "uint64",
  INT8: "int8",
  INT16: "int16",
  INT32: "int32",
  INT64: "int64",
  FP16: "float16",
  FP32: "float32",
  FP64: "float64",
  BYTES: "string",
};

/** TensorProto.DataType of onnx.proto, as far as the protocol has a datatype for it. */
const DATATYPES: Readonly<Record<number, Datatype>> = {
  1: "FP32",
  2: "UINT8",
  3: "INT8",
  4: "UINT16",
  5: "INT16",
  6: "INT32",
  7: "INT64",
  8: "BYTES",
  9: "BOOL",
  10: "FP16",
  11: "FP64",
  12: "UINT32",
  13: "UINT64",
};

/** A loaded ONNX file. Every call blocks the thread it is made on. */
export class Session {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly #native: NativeSession;
  readonly #types: ReadonlyMap<string, Datatype>;
  readonly #allFetches: Readonly<Record<string, null>>;

  private constructor(native: NativeSession) {
    this.#native = native;
    this.inputs = native.inputMetadata.map((value) => specOf("input", value));
    this.outputs = native.outputMetadata.map((value) => specOf("output", value));
    this.#types = new Map(this.outputs.map(({ name, datatype }) => [name, datatype]));
    this.#allFetches = fetchesOf(this.outputs.map(({ name }) => name));
  }

  /**
   * Loads an ONNX file.
   *
   * @throws SessionError when it is not ONNX, or takes or gives something that the protocol cannot carry
   */
  static load(file: string, { intraOpThreads }: SessionOptions): Session {
    const native = createSession();
    try {
      native.loadModel(file, {
        intraOpNumThreads: intraOpThreads,
        interOpNumThreads: 1,
        logSeverityLevel: 4,
        // Threads that spin while they wait eat the CPU limit of a container.
        extra: { session: { intra_op: { allow_spinning: "0" } } },
      });
    } catch (error) {
      throw new SessionError(runtimeMessage(error));
    }
    try {
      return new Session(native);
    } catch (error) {
      native.dispose();
      throw error;
    }
  }

  /**
   * Runs the model.
   *
   * @param outputs names of the outputs to compute; their tensors come back in this order
   * @throws RunError when the model cannot compute this
   */
  run(inputs: readonly Tensor[], outputs: readonly string[]): Tensor[] {
    const feeds: Record<string, RuntimeTensor> = {};
    for (const { name, datatype, shape, data } of inputs) {
      feeds[name] = new RuntimeTensor(ELEMENT_TYPES[datatype], data, shape);
    }
    // As many as there are: all of them, for a request names each output once.
    const fetches = outputs.length === this.outputs.length ? this.#allFetches : fetchesOf(outputs);
    const results = this.#compute(feeds, fetches);
    return outputs.map((name) => {
      const result = results[name];
      const datatype = this.#types.get(name);
      if (result === undefined || datatype === undefined) throw new Error(`the runtime gave no output '${name}'`);
      return { name, datatype, shape: result.dims, data: dataOf(result) };
    });
  }

  #compute(
    feeds: Readonly<Record<string, RuntimeTensor>>,
    fetches: Readonly<Record<string, null>>,
  ): Readonly<Record<string, RuntimeTensor>> {
    try {
      return this.#native.run(feeds, fetches);
    } catch (error) {
      throw new RunError(runtimeMessage(error));
    }
  }

  /** Frees the model. Not while it runs. */
  dispose(): void {
    this.#native.dispose();
  }
}

/** What went wrong inside the runtime, on one line. */
export function runtimeMessage(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\s+/g, " ").trim();
}

/** FP16 comes as Float16Array or as Uint16Array, depending on the binding's age: the bits are the same. */
function dataOf({ type, data }: RuntimeTensor): TensorData {
  if (type !== "float16" || data instanceof Uint16Array) return data as TensorData;
  const { buffer, byteOffset, length } = data as Uint16Array;
  return new Uint16Array(buffer, byteOffset, length);
}

function fetchesOf(names: readonly string[]): Record<string, null> {
  return Object.fromEntries(names.map((name) => [name, null]));
}

function specOf(kind: "input" | "output", { name, isTensor, type, shape }: ValueMetadata): TensorSpec {
  if (!isTensor) {
    const remedy = "export classifiers with zipmap=False";
    throw new SessionError(`${kind} '${name}' is a sequence or a map, not a tensor; ${remedy}`);
  }
  const datatype = DATATYPES[type];
  if (datatype === undefined) {
    const remedy = "convert it to FP32 in the model";
    throw new SessionError(`${kind} '${name}' has ONNX element type ${type}, which the protocol lacks; ${remedy}`);
  }
  return { name, datatype, shape };
}

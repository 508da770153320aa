import { allocate, elementCount, type Tensor, type TensorData, type TensorSpec } from "../protocol/tensor.ts";
import { datatypeOf, RUNTIME_TYPES } from "./datatypes.ts";
import { ModelError } from "./error.ts";
import type { ModelLocation } from "./repository-folder.ts";
import { InferenceSession, RuntimeTensor } from "./runtime.ts";

/** One version of one model, loaded. */
export interface Model {
  readonly name: string;
  readonly version: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /**
   * Runs the model. The event loop stands still meanwhile: the runtime's call is synchronous.
   *
   * @param inputs one tensor for each input
   * @param outputs names of the outputs to compute, in the order they are returned
   * @throws Error with the runtime's message when the model cannot compute this
   */
  infer(inputs: readonly Tensor[], outputs: readonly string[]): Promise<Tensor[]>;
}

export interface ModelOptions {
  /** Threads that one operator may use. */
  readonly intraOpThreads: number;
}

/**
 * Loads an ONNX file.
 *
 * @throws ModelError when it is not ONNX, or takes or gives something that the protocol cannot carry
 */
export async function loadModel(location: ModelLocation, { intraOpThreads }: ModelOptions): Promise<Model> {
  const session = await InferenceSession.create(location.file, {
    intraOpNumThreads: intraOpThreads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    // Threads that spin while they wait eat the CPU limit of a container.
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  }).catch((error: unknown) => {
    throw new ModelError(`cannot load ${location.file}: ${runtimeMessage(error)}`);
  });
  const inputs = specs(location.file, "input", session.inputMetadata);
  const outputs = specs(location.file, "output", session.outputMetadata);
  return {
    name: location.name,
    version: location.version,
    inputs,
    outputs,
    infer: (inputs, names) => run(session, outputs, inputs, names),
  };
}

/**
 * Runs a model once on zeros, so that the first request does not pay for the runtime's lazy set-up. Dimensions of any
 * size are taken as 1.
 *
 * @returns why it failed, when it did: zeros of that size need not be an input the model accepts, so this is no error
 */
export async function warmUp(model: Model): Promise<string | undefined> {
  const inputs = model.inputs.map(({ name, datatype, shape }): Tensor => {
    const size = shape.map((dimension) => (dimension === -1 ? 1 : dimension));
    return { name, datatype, shape: size, data: allocate(datatype, elementCount(size)) };
  });
  const names = model.outputs.map(({ name }) => name);
  return model.infer(inputs, names).then(() => undefined, runtimeMessage);
}

/** What went wrong inside the runtime, on one line. */
export function runtimeMessage(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\s+/g, " ").trim();
}

async function run(
  session: InferenceSession,
  specs: readonly TensorSpec[],
  inputs: readonly Tensor[],
  names: readonly string[],
): Promise<Tensor[]> {
  const feeds: Record<string, RuntimeTensor> = Object.create(null);
  for (const { name, datatype, shape, data } of inputs) {
    feeds[name] = new RuntimeTensor(RUNTIME_TYPES[datatype] as RuntimeTensor.Type, data as never, shape);
  }
  const results = await session.run(feeds, names);
  return names.map((name) => {
    const result = results[name] as RuntimeTensor | undefined;
    const spec = specs.find((output) => output.name === name);
    if (result === undefined || spec === undefined) throw new Error(`the runtime gave no output '${name}'`);
    return { name, datatype: spec.datatype, shape: result.dims, data: result.data as TensorData };
  });
}

function specs(
  file: string,
  kind: "input" | "output",
  metadata: readonly InferenceSession.ValueMetadata[],
): TensorSpec[] {
  return metadata.map((value) => {
    if (!value.isTensor) {
      const remedy = "export classifiers with zipmap=False";
      throw new ModelError(
        `cannot serve ${file}: ${kind} '${value.name}' is a sequence or a map, not a tensor; ${remedy}`,
      );
    }
    const datatype = datatypeOf(value.type);
    if (datatype === undefined) {
      const remedy = "convert it to FP32 in the model";
      throw new ModelError(`cannot serve ${file}: ${kind} '${value.name}' is ${value.type}, not supported; ${remedy}`);
    }
    return {
      name: value.name,
      datatype,
      shape: value.shape.map((size) => (typeof size === "number" ? size : -1)),
    };
  });
}

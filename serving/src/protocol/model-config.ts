import { hasBatchDimension } from "../execution/batch.ts";
import type { Model } from "../models/model.ts";
import type { Datatype, TensorSpec } from "../tensor/tensor.ts";

/** Triton's `ModelInput` and `ModelOutput`. */
interface TensorConfig {
  readonly name: string;
  readonly data_type: string;
  /** Without the batch dimension when `max_batch_size` is not 0. */
  readonly dims: readonly number[];
}

/** Triton's `ModelConfig`, as far as it says something about this server. */
export interface ModelConfigAnswer {
  readonly name: string;
  readonly platform: string;
  readonly backend: string;
  readonly version_policy: { readonly specific: { readonly versions: readonly number[] } };
  /** 0: the model has no batch dimension. */
  readonly max_batch_size: number;
  readonly input: readonly TensorConfig[];
  readonly output: readonly TensorConfig[];
  readonly instance_group: readonly { readonly name: string; readonly kind: "KIND_CPU"; readonly count: number }[];
  /** There when requests are gathered into batches. Nobody waits for a batch to fill. */
  readonly dynamic_batching?: { readonly max_queue_delay_microseconds: number };
}

/**
 * What is told of models that take batches. In Triton's terms it is a limit; here a request may hold as many rows as fit
 * the body, and the configuration has no word for that.
 */
const NOMINAL_BATCH_SIZE = 128;

/**
 * A model in the terms of Triton's model configuration extension.
 * https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_configuration.md
 */
export function modelConfig({ name, version, plan, inputs, outputs }: Model): ModelConfigAnswer {
  const takesBatches = hasBatchDimension(inputs, outputs);
  const config = (spec: TensorSpec) => tensorConfig(spec, takesBatches);
  return {
    name,
    platform: "onnxruntime_onnx",
    backend: "onnxruntime",
    version_policy: { specific: { versions: [Number(version)] } },
    max_batch_size: takesBatches ? Math.max(NOMINAL_BATCH_SIZE, plan.maxBatchSize) : 0,
    input: inputs.map(config),
    output: outputs.map(config),
    instance_group: [{ name: `${name}_${plan.mode}`, kind: "KIND_CPU", count: plan.sessions }],
    ...(plan.maxBatchSize > 1 && { dynamic_batching: { max_queue_delay_microseconds: 0 } }),
  };
}

function tensorConfig({ name, datatype, shape }: TensorSpec, takesBatches: boolean): TensorConfig {
  return { name, data_type: dataType(datatype), dims: takesBatches ? shape.slice(1) : shape };
}

/** Triton's `DataType` calls BYTES a string. */
function dataType(datatype: Datatype): string {
  return `TYPE_${datatype === "BYTES" ? "STRING" : datatype}`;
}

import type { SessionOptions } from "../runtime/session.ts";
import type { Tensor, TensorSpec } from "../tensor/tensor.ts";
import type { Measurement, MeasureOptions } from "./measure.ts";

/** What a worker thread is started with. */
export interface WorkerStart {
  readonly file: string;
  readonly session: SessionOptions;
  /** Measured by the first worker of a model only; the others are warmed up alike. */
  readonly measure: MeasureOptions;
}

/** What a worker says once its model is loaded, or why it is not. */
export type WorkerReady =
  | {
      readonly inputs: readonly TensorSpec[];
      readonly outputs: readonly TensorSpec[];
      readonly measurement: Measurement;
      /** Processor time that loading the model took, in milliseconds: how long it would hold up another thread. */
      readonly loadMs: number;
    }
  | { readonly fault: string };

/** One run. */
export interface WorkerRun {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly string[];
}

/** `isRun`: the runtime could not compute the inputs; else the thread is at fault. */
export type WorkerResult =
  | { readonly outputs: readonly Tensor[] }
  | { readonly fault: string; readonly isRun: boolean };

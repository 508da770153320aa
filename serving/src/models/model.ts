import type { Cancellation } from "../execution/cancellation.ts";
import type { Execution, ModelStatistics } from "../execution/statistics.ts";
import type { Tensor, TensorSpec } from "../tensor/tensor.ts";

/** What a model takes and gives, in its own order. */
export interface Signature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Whether a request may have 0 in a dimension that the model leaves open; not said: it may not. */
  readonly emptyTensors?: boolean | undefined;
}

export interface InferOptions {
  /** Names of the outputs to compute, in the order they are returned. */
  readonly outputs: readonly string[];
  /** When the answer is of no use any more, on the clock of `performance.now()`; Infinity: never. */
  readonly deadline: number;
  /** Cancelled when the client leaves: a request that still waits is then dropped. */
  readonly cancellation?: Cancellation | undefined;
  /** Told of the execution that computed the outputs, and how long the request waited for it, in milliseconds. */
  readonly executed?: ((execution: Execution, queueMs: number) => void) | undefined;
}

/** How a loaded model is run: decided at warm-up, or by its `config.json`. */
export interface ExecutionPlan {
  readonly mode: "inline" | "workers";
  /** Sessions: 1 for inline. */
  readonly sessions: number;
  /** Largest batch that requests are gathered into; 1: none are. */
  readonly maxBatchSize: number;
  /** Milliseconds that one run took at warm-up; undefined when zeros are no input it takes. */
  readonly warmUpMs: number | undefined;
}

/** One version of one model, loaded and warm. */
export interface Model extends Signature {
  readonly name: string;
  readonly version: string;
  readonly plan: ExecutionPlan;
  readonly statistics: ModelStatistics;
  /** Requests that wait or run. */
  readonly pending: number;
  /**
   * Runs the model on one tensor for each input.
   *
   * @throws ProtocolError 429 when too many requests wait, 504 when the deadline passes, 500 when the model fails,
   *   503 when it is being unloaded
   * @throws Cancelled when the client left before it ran
   */
  infer(inputs: readonly Tensor[], options: InferOptions): Promise<readonly Tensor[]>;
  /** Takes no more requests, lets those that wait or run finish, then frees it. */
  close(): Promise<void>;
}

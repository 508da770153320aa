import type { Tensor } from "../tensor/tensor.ts";

/** Where a model's sessions live and run: on the event loop's thread, or on threads of their own. */
export interface Executor {
  /** Runs that can be under way at once. The caller keeps to it. */
  readonly capacity: number;
  /**
   * Runs the model on one batch.
   *
   * @param outputs names of the outputs to compute, in the order they are returned
   * @throws Error with the runtime's message when the model cannot compute this
   */
  run(inputs: readonly Tensor[], outputs: readonly string[]): Tensor[] | Promise<Tensor[]>;
  /** Frees the sessions. Not while one runs. */
  close(): Promise<void>;
}

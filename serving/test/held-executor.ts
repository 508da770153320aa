import type { Executor } from "../src/execution/executor.ts";
import { Scheduler, type SchedulerOptions } from "../src/execution/scheduler.ts";
import { type Execution, ModelStatistics } from "../src/execution/statistics.ts";
import type { InferOptions } from "../src/models/model.ts";
import type { Tensor } from "../src/tensor/tensor.ts";

type Compute = (inputs: readonly Tensor[]) => Tensor[];

/** Runs when its test says so, as a worker thread runs when it is done; what it computes is given. */
export class HeldExecutor implements Executor {
  readonly capacity: number;
  /** The inputs of each run, in the order they were started. */
  readonly runs: (readonly Tensor[])[] = [];
  readonly #held: (() => void)[] = [];
  readonly #compute: Compute;
  isClosed = false;

  constructor(capacity: number, compute: Compute = double) {
    this.capacity = capacity;
    this.#compute = compute;
  }

  run(inputs: readonly Tensor[]): Promise<Tensor[]> {
    this.runs.push(inputs);
    return new Promise((resolve, reject) => {
      this.#held.push(() => {
        try {
          resolve(this.#compute(inputs));
        } catch (error) {
          reject(error as Error);
        }
      });
    });
  }

  /** Lets the run that was started first end. */
  async release(): Promise<void> {
    this.#held.shift()?.();
    await turn();
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

/** Runs at once, on this thread. */
export class PromptExecutor implements Executor {
  readonly capacity = 1;
  readonly runs: (readonly Tensor[])[] = [];
  readonly #compute: Compute;

  constructor(compute: Compute = double) {
    this.#compute = compute;
  }

  run(inputs: readonly Tensor[]): Tensor[] {
    this.runs.push(inputs);
    return this.#compute(inputs);
  }

  async close(): Promise<void> {}
}

/** Gives `y`, each row of `x` twice as large. */
export function double([x]: readonly Tensor[]): Tensor[] {
  const { datatype, shape, data } = x as Tensor;
  return [{ name: "y", datatype, shape, data: (data as Float32Array).map((value) => value * 2) }];
}

/** A tensor `x` of rows of one number. */
export function rows(...values: readonly number[]): Tensor[] {
  return [{ name: "x", datatype: "FP32", shape: [values.length, 1], data: Float32Array.from(values) }];
}

/** A scheduler, with what it tells. */
export function scheduling(executor: Executor, options: Partial<SchedulerOptions> = {}) {
  const statistics = new ModelStatistics();
  const executions: Execution[] = [];
  const all = { name: "m", queueLimit: 100, maxBatchSize: 1, isProven: true, hasRows: true, ...options };
  const scheduler = new Scheduler(executor, all, statistics, (execution) => executions.push(execution));
  const infer = async (inputs: readonly Tensor[], more: Partial<InferOptions> = {}): Promise<number[]> => {
    const [y] = await scheduler.infer(inputs, { outputs: OUTPUTS, deadline: Number.POSITIVE_INFINITY, ...more });
    return [...((y as Tensor).data as Float32Array)];
  };
  return { scheduler, statistics, executions, infer };
}

/** The same array for each request, as a request without `outputs` has it. */
const OUTPUTS = ["y"];

/** The event loop goes around, with everything that a message between threads takes. */
export async function turn(): Promise<void> {
  for (let count = 0; count < 3; count++) await new Promise((resolve) => setImmediate(resolve));
}

/** A number of events, and the time they took together. */
export interface DurationCount {
  count: number;
  /** Nanoseconds. */
  ns: number;
}

/** Runs of one batch size. */
export interface BatchStatistics {
  readonly computeInput: DurationCount;
  readonly computeInfer: DurationCount;
  readonly computeOutput: DurationCount;
}

/** One execution of a model, as the scheduler saw it. Times in milliseconds. */
export interface Execution {
  /** Rows that ran together: the sum of the requests' first dimensions, or 1 for a model that has no rows. */
  readonly batchSize: number;
  /** How long each of its requests waited. */
  readonly queueMs: readonly number[];
  readonly computeInputMs: number;
  readonly computeInferMs: number;
  readonly computeOutputMs: number;
}

/** Told of every execution, for histograms. */
export type ExecutionListener = (execution: Execution) => void;

const NS_PER_MS = 1e6;
/** Batch sizes that are counted one by one. */
const EXACT_SIZES = 64;

/**
 * What one version of a model did since it was loaded, in the terms of Triton's statistics extension.
 * https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_statistics.md
 */
export class ModelStatistics {
  /** Wall clock of the last request, milliseconds since 1970; 0: none yet. */
  lastInference = 0;
  /** Inferences (rows of batches) that succeeded. */
  inferenceCount = 0;
  /** Runs of the model. */
  executionCount = 0;
  readonly success: DurationCount = { count: 0, ns: 0 };
  readonly fail: DurationCount = { count: 0, ns: 0 };
  readonly queue: DurationCount = { count: 0, ns: 0 };
  readonly computeInput: DurationCount = { count: 0, ns: 0 };
  readonly computeInfer: DurationCount = { count: 0, ns: 0 };
  readonly computeOutput: DurationCount = { count: 0, ns: 0 };
  readonly batches = new Map<number, BatchStatistics>();

  /** A run that succeeded. */
  recordExecution({ batchSize, queueMs, computeInputMs, computeInferMs, computeOutputMs }: Execution): void {
    this.executionCount++;
    this.inferenceCount += batchSize;
    const batch = this.#batchOf(batchSize);
    add(batch.computeInput, computeInputMs, 1);
    add(batch.computeInfer, computeInferMs, 1);
    add(batch.computeOutput, computeOutputMs, 1);
    const requests = queueMs.length;
    // As Triton counts: each request of the batch is charged with the whole run.
    add(this.computeInput, computeInputMs * requests, requests);
    add(this.computeInfer, computeInferMs * requests, requests);
    add(this.computeOutput, computeOutputMs * requests, requests);
    for (const wait of queueMs) add(this.queue, wait, 1);
  }

  /** How many rows come together is up to clients: sizes beyond the first few share those of the next power of two. */
  #batchOf(size: number): BatchStatistics {
    const isKnown = this.batches.has(size) || this.batches.size < EXACT_SIZES;
    const key = isKnown ? size : 2 ** Math.ceil(Math.log2(size));
    let batch = this.batches.get(key);
    if (batch === undefined) {
      batch = { computeInput: zero(), computeInfer: zero(), computeOutput: zero() };
      this.batches.set(key, batch);
    }
    return batch;
  }

  /** A request that ended, from its arrival in the queue to its result. */
  recordRequest(succeeded: boolean, totalMs: number, now: number): void {
    this.lastInference = now;
    add(succeeded ? this.success : this.fail, totalMs, 1);
  }
}

function zero(): DurationCount {
  return { count: 0, ns: 0 };
}

function add(target: DurationCount, ms: number, count: number): void {
  target.count += count;
  target.ns += ms * NS_PER_MS;
}

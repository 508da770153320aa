import type { InferOptions } from "../models/model.ts";
import { ProtocolError } from "../protocol/error.ts";
import { RunError } from "../runtime/run-error.ts";
import { runtimeMessage } from "../runtime/session.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { canJoin, joinInputs, rowsOf, sliceOutputs } from "./batch.ts";
import { Cancelled } from "./cancellation.ts";
import type { Executor } from "./executor.ts";
import type { ExecutionListener, ModelStatistics } from "./statistics.ts";

export interface SchedulerOptions {
  /** The model's name, for messages. */
  readonly name: string;
  /** Requests that may wait. */
  readonly queueLimit: number;
  /** Rows that requests are gathered into; 1: each request runs by itself. */
  readonly maxBatchSize: number;
  /** Whether the model was seen to compute something, at warm-up. */
  readonly isProven: boolean;
  /** Whether the first dimension of the model's tensors counts rows. */
  readonly hasRows: boolean;
}

/** How long runs on the event loop's thread may follow each other before sockets and timers get a turn. */
const TURN_MS = 4;
/** How often requests that wait, or run on another thread, are looked through for deadlines that passed, at most. */
const SWEEP_MS = 20;
/** What a timer takes at most. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A request that waits or runs. */
interface Job {
  readonly inputs: readonly Tensor[];
  readonly options: InferOptions;
  readonly arrived: number;
  readonly resolve: (outputs: readonly Tensor[]) => void;
  readonly reject: (reason: Error) => void;
  /** Its deadline passed while it ran: whatever comes of the run is of no use any more. */
  isAnswered: boolean;
}

/**
 * The queue of one model: bounded, first come first served. Requests that arrived in one turn of the event loop run as one
 * batch where that was measured to pay; nobody waits for a batch to fill.
 */
export class Scheduler {
  readonly #executor: Executor;
  readonly #options: SchedulerOptions;
  readonly #statistics: ModelStatistics;
  readonly #listen: ExecutionListener;
  #queue: Job[] = [];
  /** Those that run on another thread. */
  readonly #elsewhere = new Set<Job>();
  #maxBatchSize: number;
  #running = 0;
  #jobsRunning = 0;
  #scheduled = false;
  #closing = false;
  #sweeper: NodeJS.Timeout | undefined;
  /** When it is due. */
  #sweepAt = Number.POSITIVE_INFINITY;
  #idle: (() => void) | undefined;

  constructor(executor: Executor, options: SchedulerOptions, statistics: ModelStatistics, listen: ExecutionListener) {
    this.#executor = executor;
    this.#options = options;
    this.#maxBatchSize = options.maxBatchSize;
    this.#statistics = statistics;
    this.#listen = listen;
  }

  /** Requests that wait or run. */
  get pending(): number {
    return this.#queue.length + this.#jobsRunning;
  }

  /** See `Model.infer`. */
  infer(inputs: readonly Tensor[], options: InferOptions): Promise<readonly Tensor[]> {
    return new Promise((resolve, reject) => {
      const refusal = this.#refusal();
      if (refusal !== undefined) {
        reject(refusal);
        return;
      }
      const job = { inputs, options, arrived: performance.now(), resolve, reject, isAnswered: false };
      options.cancellation?.onCancel(() => this.#drop(job, new Cancelled()));
      this.#queue.push(job);
      this.#sweepBy(options.deadline);
      this.#wake();
    });
  }

  /** Takes no more requests; resolves when those that wait or run have finished and the executor is closed. */
  async close(): Promise<void> {
    this.#closing = true;
    if (this.pending > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    clearTimeout(this.#sweeper);
    await this.#executor.close();
  }

  #refusal(): ProtocolError | undefined {
    const { name, queueLimit } = this.#options;
    if (this.#closing) return new ProtocolError(503, `model '${name}' is being unloaded`, { "retry-after": "1" });
    if (this.#queue.length < queueLimit) return undefined;
    return new ProtocolError(429, `model '${name}' has ${queueLimit} requests waiting, its limit: try again later`, {
      "retry-after": "1",
    });
  }

  #wake(): void {
    if (this.#scheduled || this.#running >= this.#executor.capacity) return;
    this.#scheduled = true;
    // After the sockets of this turn have been read: what they brought is one batch.
    setImmediate(this.#dispatch);
  }

  readonly #dispatch = (): void => {
    this.#scheduled = false;
    const until = performance.now() + TURN_MS;
    while (this.#queue.length > 0 && this.#running < this.#executor.capacity) {
      const now = performance.now();
      if (now > until) break;
      this.#start(this.#take(now), now);
    }
    if (this.#queue.length > 0) this.#wake();
  };

  /** The requests that run next, together; those whose deadline has passed are answered instead. */
  #take(now: number): Job[] {
    const taken: Job[] = [];
    const late: Job[] = [];
    let rows = 0;
    let index = 0;
    for (; index < this.#queue.length; index++) {
      const job = this.#queue[index] as Job;
      if (job.options.deadline < now) {
        late.push(job);
        continue;
      }
      const first = taken[0];
      const more = rowsOf(job.inputs);
      const joins =
        first === undefined ||
        (rows + more <= this.#maxBatchSize &&
          asksForTheSame(first.options.outputs, job.options.outputs) &&
          canJoin(first.inputs, job.inputs));
      if (!joins) break;
      taken.push(job);
      rows += more;
      job.options.cancellation?.onCancel(undefined);
      // What follows inputs that differ in their rows would get the rows of others.
      if (this.#maxBatchSize === 1 || (first === undefined && !canJoin(job.inputs, job.inputs))) {
        index++;
        break;
      }
    }
    this.#queue = index === this.#queue.length ? [] : this.#queue.slice(index);
    // Not before they have left the queue: whoever closes it waits for it to be empty.
    for (const job of late) this.#expire(job, now, "in the queue");
    return taken;
  }

  #start(jobs: readonly Job[], now: number): void {
    if (jobs.length === 0) return;
    this.#jobsRunning += jobs.length;
    const [first] = jobs as readonly [Job];
    const rows = jobs.reduce((sum, { inputs }) => sum + rowsOf(inputs), 0);
    try {
      const inputs =
        jobs.length === 1
          ? first.inputs
          : joinInputs(
              jobs.map((job) => job.inputs),
              rows,
            );
      const ready = performance.now();
      const outputs = this.#executor.run(inputs, first.options.outputs);
      if (Array.isArray(outputs)) {
        this.#finish(jobs, outputs, { rows, now, ready });
        return;
      }
      this.#running++;
      for (const job of jobs) this.#elsewhere.add(job);
      const settle = (act: () => void) => {
        this.#running--;
        for (const job of jobs) this.#elsewhere.delete(job);
        act();
        this.#wake();
      };
      outputs.then(
        (results) => settle(() => this.#finish(jobs, results, { rows, now, ready })),
        (error: unknown) => settle(() => this.#fail(jobs, error)),
      );
    } catch (error) {
      this.#fail(jobs, error);
    }
  }

  #finish(
    jobs: readonly Job[],
    outputs: readonly Tensor[],
    { rows, now, ready }: { readonly rows: number; readonly now: number; readonly ready: number },
  ): void {
    const computed = performance.now();
    let results: (readonly Tensor[])[] | undefined = [outputs];
    if (jobs.length > 1) results = split(jobs, outputs, rows);
    if (results === undefined) {
      // It does not treat rows apart after all: never again.
      this.#maxBatchSize = 1;
      this.#retrySingly(jobs);
      return;
    }
    const ended = performance.now();
    const execution = {
      batchSize: this.#options.hasRows ? rows : 1,
      queueMs: jobs.map(({ arrived }) => now - arrived),
      computeInputMs: ready - now,
      computeInferMs: computed - ready,
      computeOutputMs: ended - computed,
    };
    this.#statistics.recordExecution(execution);
    this.#listen(execution);
    this.#leave(jobs.length);
    const clock = Date.now();
    for (let index = 0; index < jobs.length; index++) {
      const job = jobs[index] as Job;
      if (job.isAnswered) continue;
      this.#statistics.recordRequest(true, ended - job.arrived, clock);
      job.options.executed?.(execution, now - job.arrived);
      job.resolve(results[index] as readonly Tensor[]);
    }
  }

  /** One bad request fails a batch: each of its requests is then run by itself, and fails or not by itself. */
  #fail(jobs: readonly Job[], error: unknown): void {
    if (jobs.length > 1) {
      this.#retrySingly(jobs);
      return;
    }
    const [job] = jobs as readonly [Job];
    this.#leave(1);
    if (job.isAnswered) return;
    this.#statistics.recordRequest(false, performance.now() - job.arrived, Date.now());
    job.reject(this.#failure(error));
  }

  /** A model that computed other inputs and not these: they are at fault. A model that was never seen to compute may be. */
  #failure(error: unknown): ProtocolError {
    const { name, isProven } = this.#options;
    const reason = runtimeMessage(error);
    if (!(error instanceof RunError)) return new ProtocolError(500, `model '${name}' failed: ${reason}`);
    if (error.isExhausted || !isProven)
      return new ProtocolError(
        500,
        `model '${name}' failed: ${reason}`,
        {},
        `model '${name}' failed: ${error.operator}`,
      );
    const cannot = `model '${name}' cannot compute`;
    return new ProtocolError(
      400,
      `${cannot} these inputs: ${reason}`,
      {},
      `${cannot} a request's inputs: ${error.operator}`,
    );
  }

  #retrySingly(jobs: readonly Job[]): void {
    this.#jobsRunning -= jobs.length;
    for (const job of jobs) if (!job.isAnswered) this.#start([job], performance.now());
    this.#leave(0);
  }

  /** Answers a request whose deadline has passed. What runs already is left to run. */
  #expire(job: Job, now: number, where: "in the queue" | "while the model ran"): void {
    job.isAnswered = true;
    job.options.cancellation?.onCancel(undefined);
    this.#statistics.recordRequest(false, now - job.arrived, Date.now());
    const passed = `the request's deadline passed after ${Math.round(now - job.arrived)} ms`;
    job.reject(new ProtocolError(504, `${passed}, ${where}: model '${this.#options.name}'`));
    this.#leave(0);
  }

  /** Takes a request out of the queue. One that runs already is left to run. */
  #drop(job: Job, reason: Error): void {
    const index = this.#queue.indexOf(job);
    if (index === -1) return;
    this.#queue.splice(index, 1);
    job.reject(reason);
    this.#leave(0);
  }

  #leave(running: number): void {
    this.#jobsRunning -= running;
    if (this.#closing && this.pending === 0) this.#idle?.();
  }

  /** Deadlines pass while sessions are busy, too: those that have are looked for once the first is due. */
  #sweepBy(deadline: number): void {
    if (deadline >= this.#sweepAt) return;
    clearTimeout(this.#sweeper);
    this.#sweepAt = deadline;
    const wait = Math.max(SWEEP_MS, Math.ceil(deadline - performance.now()));
    this.#sweeper = setTimeout(this.#sweep, Math.min(wait, LONGEST_TIMER_MS)).unref();
  }

  readonly #sweep = (): void => {
    this.#sweepAt = Number.POSITIVE_INFINITY;
    const now = performance.now();
    const queued = this.#queue;
    this.#queue = queued.filter(({ options }) => options.deadline >= now);
    if (this.#queue.length < queued.length) {
      for (const job of queued) if (job.options.deadline < now) this.#expire(job, now, "in the queue");
    }
    let next = Number.POSITIVE_INFINITY;
    for (const job of this.#elsewhere) {
      if (job.isAnswered) continue;
      if (job.options.deadline < now) this.#expire(job, now, "while the model ran");
      else next = Math.min(next, job.options.deadline);
    }
    for (const { options } of this.#queue) next = Math.min(next, options.deadline);
    this.#sweepBy(next);
  };
}

/** Most requests name no outputs, and share one array. */
function asksForTheSame(one: readonly string[], other: readonly string[]): boolean {
  if (one === other) return true;
  return one.length === other.length && one.every((name, index) => name === other[index]);
}

function split(jobs: readonly Job[], outputs: readonly Tensor[], total: number): Tensor[][] | undefined {
  const results: Tensor[][] = [];
  let from = 0;
  for (const { inputs } of jobs) {
    const rows = rowsOf(inputs);
    const part = sliceOutputs(outputs, { from, rows, total });
    if (part === undefined) return undefined;
    results.push(part);
    from += rows;
  }
  return results;
}

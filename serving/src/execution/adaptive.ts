import type { Tensor } from "../tensor/tensor.ts";
import type { Executor } from "./executor.ts";
import { threadMs } from "./thread-time.ts";

/** Runs on the event loop's thread that take longer than this are too large for it. */
const TOO_LONG_MS = 4;
/** So many of them: one alone may have met cold caches. */
const TOO_LONG_RUNS = 3;
/** Runs that are looked at closely after one that took long by the clock. */
const WATCHED_RUNS = 1000;
/** How many runs that are not too long make up for one that was. */
const FORGIVEN_BY = 100;
/** A run of this length is no accident. */
const FAR_TOO_LONG_MS = 50;
/** How long nothing larger is tried after runs that took too long; twice as long each time. */
const HOLD_OFF_MS = 10_000;
/** Runs this short show that larger ones may be tried. */
const SHORT_MS = 1;
/** How much larger than what was seen to be short a run on the event loop's thread may be. */
const GROWTH = 2;

/**
 * Runs on the event loop's thread what was seen to be short there, and on worker threads what is larger: a model with open
 * dimensions can be light for one request and heavy for the next.
 */
export class AdaptiveExecutor implements Executor {
  readonly #inline: Executor;
  readonly #startWorkers: () => Promise<Executor>;
  readonly #now: () => number;
  readonly #processorMs: () => number;
  #workers: Promise<Executor> | undefined;
  #capacity = 1;
  /** Elements of the largest input that was seen to be short. */
  #short: number;
  #tooLong = 0;
  /** How many of the next runs are measured by processor time. */
  #watched = 0;
  #holdOffMs = HOLD_OFF_MS;
  /** Until when nothing larger is tried: what a run costs may depend on values, which a client chooses. */
  #heldOffUntil = Number.NEGATIVE_INFINITY;

  /**
   * @param elements how many the inputs had that were measured at warm-up, with all their batch
   * @param startWorkers called when the first large request comes
   * @param now the clock, in milliseconds
   * @param processorMs processor time that this thread has used, in milliseconds
   */
  constructor(
    inline: Executor,
    elements: number,
    startWorkers: () => Promise<Executor>,
    now: () => number = () => performance.now(),
    processorMs: () => number = threadMs,
  ) {
    this.#now = now;
    this.#processorMs = processorMs;
    this.#inline = inline;
    this.#short = elements;
    this.#startWorkers = startWorkers;
  }

  get capacity(): number {
    return this.#capacity;
  }

  run(inputs: readonly Tensor[], outputs: readonly string[]): Tensor[] | Promise<Tensor[]> {
    let elements = 0;
    for (const { data } of inputs) elements += data.length;
    if (elements > this.#short * GROWTH) return this.#runOnWorkers(inputs, outputs, elements);
    if (elements * GROWTH <= this.#short) return this.#inline.run(inputs, outputs);
    const start = this.#now();
    const used = this.#watched > 0 ? this.#processorMs() : undefined;
    const results = this.#inline.run(inputs, outputs);
    const wall = this.#now() - start;
    this.#learn(elements, used === undefined ? this.#suspect(wall) : this.#processorMs() - used);
    return results;
  }

  async close(): Promise<void> {
    await this.#inline.close();
    await (await this.#workers?.catch(() => undefined))?.close();
  }

  async #runOnWorkers(inputs: readonly Tensor[], outputs: readonly string[], elements: number): Promise<Tensor[]> {
    this.#workers ??= this.#start();
    const workers = await this.#workers;
    const start = this.#now();
    const results = await workers.run(inputs, outputs);
    this.#learn(elements, this.#now() - start);
    return results;
  }

  async #start(): Promise<Executor> {
    try {
      const workers = await this.#startWorkers();
      this.#capacity = workers.capacity;
      return workers;
    } catch (error) {
      // The next large request tries again.
      this.#workers = undefined;
      throw error;
    }
  }

  /**
   * A run that took long by the clock may have been held up by a neighbour or the container's CPU limit: that says nothing
   * of the model. The next ones are measured by processor time, which costs a little.
   */
  #suspect(wall: number): number {
    if (wall <= TOO_LONG_MS) return wall;
    this.#watched = WATCHED_RUNS;
    return TOO_LONG_MS;
  }

  #learn(elements: number, ms: number): void {
    if (this.#watched > 0) this.#watched--;
    if (ms > TOO_LONG_MS) {
      // On a worker thread it may take as long as it likes.
      if (elements <= this.#short * GROWTH) this.#tookTooLong(elements, ms);
      return;
    }
    this.#tooLong = Math.max(0, this.#tooLong - 1 / FORGIVEN_BY);
    if (ms < SHORT_MS && this.#now() > this.#heldOffUntil) this.#short = Math.max(this.#short, elements);
  }

  #tookTooLong(elements: number, ms: number): void {
    this.#tooLong++;
    if (this.#tooLong <= TOO_LONG_RUNS - 1 && ms < FAR_TOO_LONG_MS) return;
    this.#tooLong = 0;
    this.#heldOffUntil = this.#now() + this.#holdOffMs;
    this.#holdOffMs *= 2;
    // The next of this size is more than may be tried here.
    this.#short = Math.max(1, Math.floor(elements / GROWTH / 2));
  }
}

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
/** A run of this length, by processor time, is no accident. */
const FAR_TOO_LONG_MS = 50;
/** How old what is known of the thread's processor time may be when a run begins: to ask takes 5 µs. */
const SAMPLE_MS = 10;
/** How long nothing larger is tried after runs that took too long; twice as long each time. */
const HOLD_OFF_MS = 10_000;
/**
 * How long a model is kept away whose sizes do not tell how long it takes; when it shows once more, for good. Once, a
 * hypervisor that took the processor away may have been what took long.
 */
const ERRATIC_HOLD_OFF_MS = 10 * 60_000;
/** Runs this short show that larger ones may be tried. */
const SHORT_MS = 1;
/** How much larger than what was seen to be short a run on the event loop's thread may be. */
const GROWTH = 2;

/** Characters of a text that weigh as much as a number. */
const TEXT_CHARACTERS = 256;

/**
 * Runs on the event loop's thread what was seen to be short there, and on worker threads what is larger: a model with open
 * dimensions can be light for one request and heavy for the next. A model whose time does not go by the size of its inputs,
 * but by their values, runs on worker threads whatever the size.
 */
export class AdaptiveExecutor implements Executor {
  readonly #inline: Executor;
  readonly #startWorkers: () => Promise<Executor>;
  readonly #now: () => number;
  readonly #processorMs: () => number;
  #workers: Promise<Executor> | undefined;
  #capacity = 1;
  /** Size of the largest input that is taken to be short. */
  #short: number;
  /** Size of the largest input that was ever seen to be short. */
  #shortOnce: number;
  #tooLong = 0;
  /** How many of the next runs are measured by processor time. */
  #watched = 0;
  #sampledMs = 0;
  #sampledAt = Number.NEGATIVE_INFINITY;
  #holdOffMs = HOLD_OFF_MS;
  /** Until when nothing larger is tried: what a run costs may depend on values, which a client chooses. */
  #heldOffUntil = Number.NEGATIVE_INFINITY;
  /** Whether something that should have been short by its size took far too long. */
  #isErratic = false;

  /**
   * @param size of the inputs that were measured at warm-up, with all their batch, see {@link sizeOf}
   * @param startWorkers called when the first large request comes
   * @param now the clock, in milliseconds
   * @param processorMs processor time that this thread has used, in milliseconds
   */
  constructor(
    inline: Executor,
    size: number,
    startWorkers: () => Promise<Executor>,
    now: () => number = () => performance.now(),
    processorMs: () => number = threadMs,
  ) {
    this.#now = now;
    this.#processorMs = processorMs;
    this.#inline = inline;
    this.#short = size;
    this.#shortOnce = size;
    this.#startWorkers = startWorkers;
  }

  get capacity(): number {
    return this.#capacity;
  }

  run(inputs: readonly Tensor[], outputs: readonly string[]): Tensor[] | Promise<Tensor[]> {
    const size = sizeOf(inputs);
    return size > this.#short * GROWTH
      ? this.#runOnWorkers(inputs, outputs, size)
      : this.#runHere(inputs, outputs, size);
  }

  async close(): Promise<void> {
    await this.#inline.close();
    await (await this.#workers?.catch(() => undefined))?.close();
  }

  #runHere(inputs: readonly Tensor[], outputs: readonly string[], size: number): Tensor[] | Promise<Tensor[]> {
    const start = this.#now();
    if (this.#watched > 0 || start - this.#sampledAt > SAMPLE_MS) {
      this.#sampledMs = this.#processorMs();
      this.#sampledAt = start;
    }
    let isDone = false;
    try {
      const results = this.#inline.run(inputs, outputs);
      isDone = true;
      return results;
    } finally {
      const ms = this.#timeSince(start);
      // What fails at once says nothing of the inputs that do not.
      if (isDone || ms > TOO_LONG_MS) this.#learn(size, ms, true);
    }
  }

  async #runOnWorkers(inputs: readonly Tensor[], outputs: readonly string[], size: number): Promise<Tensor[]> {
    this.#workers ??= this.#start();
    let workers: Executor;
    try {
      workers = await this.#workers;
    } catch (error) {
      // By its size it would have run here: better for long than not at all.
      if (this.#isErratic && size <= this.#shortOnce) return this.#inline.run(inputs, outputs);
      throw error;
    }
    const start = this.#now();
    const results = await workers.run(inputs, outputs);
    this.#learn(size, this.#now() - start, false);
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
   * How long a run took that began then, for what is learnt from it. One that took long by the clock may have been held up by
   * a neighbour or the container's CPU limit, which says nothing of the model: it counts as long when it used the processor
   * for far too long for sure. The next ones are measured by processor time, which costs a little.
   */
  #timeSince(start: number): number {
    const wall = this.#now() - start;
    const isWatched = this.#watched > 0;
    if (!isWatched && wall <= TOO_LONG_MS) return wall;
    // Before the run the thread cannot have used more than passed by the clock.
    const used = this.#processorMs() - this.#sampledMs - (start - this.#sampledAt);
    if (isWatched) return used;
    this.#watched = WATCHED_RUNS;
    return used >= FAR_TOO_LONG_MS ? used : TOO_LONG_MS;
  }

  #learn(size: number, ms: number, isHere: boolean): void {
    if (this.#watched > 0) this.#watched--;
    if (ms > TOO_LONG_MS) {
      const wasToBeShort = size <= this.#shortOnce && (isHere || this.#isErratic);
      if (wasToBeShort && ms >= FAR_TOO_LONG_MS) this.#distrustSizes();
      // Otherwise it may take as long as it likes on a worker thread.
      else if (size <= this.#short * GROWTH) this.#tookTooLong(size, ms);
      return;
    }
    this.#tooLong = Math.max(0, this.#tooLong - 1 / FORGIVEN_BY);
    if (ms >= SHORT_MS || this.#now() <= this.#heldOffUntil) return;
    this.#short = Math.max(this.#short, size);
    this.#shortOnce = Math.max(this.#shortOnce, size);
  }

  #tookTooLong(size: number, ms: number): void {
    this.#tooLong++;
    if (this.#tooLong <= TOO_LONG_RUNS - 1 && ms < FAR_TOO_LONG_MS) return;
    this.#tooLong = 0;
    this.#holdOff(this.#holdOffMs);
    this.#holdOffMs *= 2;
    // The next of this size is more than may be tried here.
    this.#short = size / GROWTH / 2;
  }

  /** A size that was seen to be short took far too long: no size is short for sure. */
  #distrustSizes(): void {
    this.#holdOff(this.#isErratic ? Number.POSITIVE_INFINITY : ERRATIC_HOLD_OFF_MS);
    this.#isErratic = true;
    this.#short = 0;
  }

  #holdOff(milliseconds: number): void {
    this.#heldOffUntil = Math.max(this.#heldOffUntil, this.#now() + milliseconds);
  }
}

/** What the time of a run is taken to go by: how many elements its inputs have, long texts as several; 1 at least. */
export function sizeOf(inputs: readonly Tensor[]): number {
  let size = 0;
  for (const { data } of inputs) {
    size += data.length;
    if (Array.isArray(data)) for (const text of data) size += Math.floor(text.length / TEXT_CHARACTERS);
  }
  return Math.max(1, size);
}

import { Worker } from "node:worker_threads";
import { RunError } from "../runtime/run-error.ts";
import { SessionError } from "../runtime/session.ts";
import type { Tensor, TensorSpec } from "../tensor/tensor.ts";
import type { Executor } from "./executor.ts";
import type { Measurement } from "./measure.ts";
import type { WorkerReady, WorkerResult, WorkerRun, WorkerStart } from "./messages.ts";
import { forTransfer, transferList } from "./transfer.ts";

/** Beside this file: `.ts` in a checkout, `.js` in the image. */
const WORKER = new URL(`./worker${import.meta.url.slice(import.meta.url.lastIndexOf("."))}`, import.meta.url);

/** What the first worker found. */
export interface PoolDescription {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly measurement: Measurement;
  /** Processor time that loading the model took, in milliseconds. */
  readonly loadMs: number;
}

/** Runs on threads of their own, one session each, so that the event loop stays free while a model computes. */
export class WorkerPool implements Executor {
  readonly description: PoolDescription;
  #capacity = 0;
  readonly #start: WorkerStart;
  readonly #verify: () => Promise<void>;
  readonly #idle: SessionWorker[];
  readonly #all: Set<SessionWorker>;
  /** Threads that are about to be there. */
  #starting = 0;
  readonly #waiting: ((worker: SessionWorker | Promise<SessionWorker>) => void)[] = [];

  private constructor(
    start: WorkerStart,
    first: SessionWorker,
    description: PoolDescription,
    verify: () => Promise<void>,
  ) {
    this.#start = start;
    this.#verify = verify;
    this.description = description;
    this.#idle = [];
    this.#all = new Set();
    this.#add(first);
  }

  get capacity(): number {
    return this.#capacity;
  }

  /**
   * Starts threads and loads the model in each.
   *
   * @param verify asked before the file is loaded once more, see `ModelFile`
   * @throws SessionError when the model cannot be served
   */
  static async start(start: WorkerStart, size: number, verify: () => Promise<void>): Promise<WorkerPool> {
    // One after the other: the first says whether the model can be served at all.
    const { worker, description } = await SessionWorker.start(start);
    const single = { ...start, measure: { ...start.measure, maxBatchSize: 1 } };
    const pool = new WorkerPool(single, worker, description, verify);
    await pool.grow(size);
    return pool;
  }

  /**
   * Starts more threads until there are so many.
   *
   * @throws SessionError when the model cannot be loaded once more; the pool is closed then
   */
  async grow(size: number): Promise<void> {
    try {
      while (this.#capacity < size) this.#add((await SessionWorker.start(this.#start)).worker);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async run(inputs: readonly Tensor[], outputs: readonly string[]): Promise<Tensor[]> {
    const worker = await this.#take();
    try {
      return await worker.run({ inputs, outputs });
    } finally {
      this.#giveBack(worker);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((worker) => worker.close()));
  }

  #add(worker: SessionWorker): void {
    this.#all.add(worker);
    this.#idle.push(worker);
    this.#capacity++;
  }

  /** A thread to run on. One that ended by itself (out of memory) is followed by another when one is needed. */
  #take(): SessionWorker | Promise<SessionWorker> {
    for (let worker = this.#idle.pop(); worker !== undefined; worker = this.#idle.pop()) {
      if (worker.alive) return worker;
      this.#all.delete(worker);
    }
    if (this.#all.size + this.#starting < this.#capacity) return this.#startAnother();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #giveBack(worker: SessionWorker): void {
    if (!worker.alive) this.#all.delete(worker);
    const next = this.#waiting.shift();
    if (next !== undefined) next(worker.alive ? worker : this.#startAnother());
    else if (worker.alive) this.#idle.push(worker);
  }

  /** @throws Error when the model's file is another by now, or cannot be loaded; whoever waits next tries by itself */
  async #startAnother(): Promise<SessionWorker> {
    this.#starting++;
    try {
      await this.#verify();
      const { worker } = await SessionWorker.start(this.#start);
      this.#all.add(worker);
      return worker;
    } catch (error) {
      // Not within this turn: this one still counts as starting.
      setImmediate(() => this.#waiting.shift()?.(this.#startAnother()));
      throw error;
    } finally {
      this.#starting--;
    }
  }
}

/** One thread, from here. */
class SessionWorker {
  alive = true;
  readonly #thread: Worker;
  readonly #ended: Promise<void>;
  /** Whoever waits for the thread's next word. */
  #waiting: { readonly resolve: (message: never) => void; readonly reject: (error: Error) => void } | undefined;

  private constructor(thread: Worker) {
    this.#thread = thread;
    thread.on("message", (message: unknown) => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      waiting?.resolve(message as never);
    });
    thread.on("error", (error: Error) => this.#end(error.message));
    this.#ended = new Promise((resolve) => {
      thread.once("exit", (code) => {
        this.#end(`exit code ${code}`);
        resolve();
      });
    });
  }

  /** @throws SessionError when the model cannot be served */
  static async start(
    start: WorkerStart,
  ): Promise<{ readonly worker: SessionWorker; readonly description: PoolDescription }> {
    const worker = new SessionWorker(new Worker(WORKER, { workerData: start, name: "model", execArgv: [] }));
    const ready = await worker
      .#nextMessage<WorkerReady>()
      .catch((error: Error): WorkerReady => ({ fault: error.message }));
    if (!("fault" in ready)) return { worker, description: ready };
    await worker.#thread.terminate();
    throw new SessionError(ready.fault);
  }

  /** @throws RunError when the model cannot compute this, Error when the thread ends */
  async run({ inputs, outputs }: WorkerRun): Promise<Tensor[]> {
    const tensors = forTransfer(inputs);
    const answer = this.#nextMessage<WorkerResult>();
    this.#thread.postMessage({ inputs: tensors, outputs } satisfies WorkerRun, transferList(tensors));
    const result = await answer;
    if ("fault" in result) throw result.isRun ? new RunError(result.fault) : new Error(result.fault);
    return result.outputs as Tensor[];
  }

  /** Frees the session, then the thread. */
  async close(): Promise<void> {
    if (this.alive) this.#thread.postMessage("close");
    await this.#ended;
  }

  #nextMessage<Message>(): Promise<Message> {
    return new Promise<Message>((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  #end(reason: string): void {
    this.alive = false;
    this.#waiting?.reject(new Error(`the thread of its session ended: ${reason}`));
    this.#waiting = undefined;
  }
}

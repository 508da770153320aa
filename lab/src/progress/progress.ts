import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { clock, duration } from "./duration.ts";
import { isCancelled } from "./error.ts";
import { Step } from "./step.ts";

/** Where progress is written: a terminal, a pipe, or a test's list of lines. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface ProgressOptions {
  /** The folder for the steps' log files. */
  readonly logs: string;
  /** Standard error when left out. */
  readonly output?: ProgressOutput;
  /** Stops every step's children when it aborts. */
  readonly signal?: AbortSignal;
  /** A step that runs longer than this is mentioned again and again, at this interval (15 s). */
  readonly heartbeatSeconds?: number;
}

/** A step that is faster than this gets one line instead of two. */
const ANNOUNCE_AFTER_MS = 1000;
const LIVE_EVERY_MS = 500;

interface Running {
  readonly step: Step;
  readonly started: number;
  announced: boolean;
  mentioned: number;
}

/**
 * Shows long work to a person: which steps run, for how long, and why one failed. On a terminal the running steps share
 * one line that is kept up to date; elsewhere each long step gets a line every few seconds.
 */
export class Progress {
  readonly signal: AbortSignal | undefined;
  readonly logs: string;
  readonly #output: ProgressOutput;
  readonly #heartbeat: number;
  readonly #began = Date.now();
  readonly #running = new Set<Running>();
  #timer: NodeJS.Timeout | undefined;
  #live = false;

  constructor(options: ProgressOptions) {
    this.logs = options.logs;
    this.signal = options.signal;
    this.#output = options.output ?? process.stderr;
    this.#heartbeat = (options.heartbeatSeconds ?? 15) * 1000;
  }

  /**
   * Runs one named piece of work and shows it. Steps may run at the same time and within each other. A signal given here
   * stops the step's children in place of the progress's own.
   * @returns what the work returns; its error, once it has been shown, goes on to the caller.
   */
  async step<T>(name: string, work: (step: Step) => Promise<T>, signal = this.signal): Promise<T> {
    mkdirSync(this.logs, { recursive: true });
    const log = join(this.logs, `${name.replaceAll(/[^A-Za-z0-9.]+/g, "-")}.log`);
    const started = Date.now();
    const running: Running = {
      step: new Step(name, log, signal, (text) => this.say(`${name}: ${text}`)),
      started,
      announced: false,
      mentioned: started,
    };
    this.#running.add(running);
    this.#tick();
    try {
      const result = await work(running.step);
      this.#running.delete(running);
      const done = running.step.detail ? `, ${running.step.detail}` : "";
      this.say(`${name}: done in ${duration(Date.now() - started)}${done}`);
      return result;
    } catch (error) {
      this.#running.delete(running);
      this.#fail(running, error);
      throw error;
    } finally {
      this.#tick();
    }
  }

  /** Writes one line, with the time since the start in front. */
  say(text: string): void {
    this.#clear();
    this.#output.write(`${clock(Date.now() - this.#began).padStart(5)}  ${text}\n`);
    this.#draw();
  }

  #fail(running: Running, error: unknown): void {
    const time = duration(Date.now() - running.started);
    const stopped = isCancelled(error);
    this.say(`${running.step.name}: ${stopped ? "cancelled" : "FAILED"} after ${time}`);
    const tail = stopped ? [] : running.step.tail();
    if (tail.length === 0) return;
    this.#clear();
    this.#output.write(
      `${[...tail.map((line) => `       | ${line}`), `       (the whole log: ${running.step.log})`].join("\n")}\n`,
    );
    this.#draw();
  }

  /** Keeps the timer going while steps run, and shows what is due. */
  #tick(): void {
    const now = Date.now();
    if (this.#output.isTTY) {
      this.#clear();
      this.#draw();
    } else {
      for (const running of this.#running) this.#mention(running, now);
    }
    clearTimeout(this.#timer);
    this.#timer = this.#running.size > 0 ? setTimeout(() => this.#tick(), LIVE_EVERY_MS) : undefined;
    this.#timer?.unref();
  }

  #mention(running: Running, now: number): void {
    const { step, started } = running;
    const detail = step.detail ? `: ${step.detail}` : "";
    if (!running.announced && now - started >= ANNOUNCE_AFTER_MS) {
      running.announced = true;
      running.mentioned = now;
      this.say(`${step.name}${detail} …`);
    } else if (running.announced && now - running.mentioned >= this.#heartbeat) {
      running.mentioned = now;
      this.say(`${step.name}: ${duration(now - started)} so far${step.detail ? `, ${step.detail}` : ""}`);
    }
  }

  #clear(): void {
    if (this.#live) this.#output.write("\r\x1b[2K");
    this.#live = false;
  }

  #draw(): void {
    if (!this.#output.isTTY || this.#running.size === 0) return;
    const now = Date.now();
    const parts = [...this.#running].map(
      ({ step, started }) => `${step.name} ${clock(now - started)}${step.detail ? ` (${step.detail})` : ""}`,
    );
    const line = `${clock(now - this.#began).padStart(5)}  ${parts.join(" · ")}`;
    this.#output.write(line.slice(0, (this.#output.columns ?? 80) - 1));
    this.#live = true;
  }
}

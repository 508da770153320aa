import { appendFileSync, existsSync, readFileSync, rmSync } from "node:fs";
import { cancelled, LabError } from "./error.ts";
import { type ChildOptions, runChild } from "./run-child.ts";

/** How much of a failed step's log is shown. */
const TAIL_LINES = 20;

export interface StepRunOptions extends Omit<ChildOptions, "log" | "signal"> {
  /** What a person can do when the command fails. */
  readonly remedy: string;
}

/** One piece of work that `Progress` shows: runs programs, keeps their output, says how far it is. */
export class Step {
  readonly name: string;
  /** The file that holds the output of the step's programs. */
  readonly log: string;
  readonly signal: AbortSignal | undefined;
  /** How far the step is, in a few words; shown beside its name while it runs, and at its end. */
  detail = "";
  /** Writes a line of the step's own among the progress. */
  readonly say: (text: string) => void;

  constructor(name: string, log: string, signal: AbortSignal | undefined, say: (text: string) => void) {
    this.name = name;
    this.log = log;
    this.signal = signal;
    this.say = say;
    rmSync(log, { force: true });
  }

  /**
   * Runs a program with its output in the step's log.
   * @returns what it wrote to its standard output.
   * @throws LabError COMMAND_FAILED with the given remedy when the exit code is not 0; CANCELLED.
   */
  async run(command: string, args: readonly string[], options: StepRunOptions): Promise<string> {
    this.note(`$ ${[command, ...args].join(" ")}`);
    const { remedy, ...child } = options;
    const result = await runChild(command, args, {
      ...child,
      log: this.log,
      ...(this.signal && { signal: this.signal }),
    });
    if (result.code !== 0) {
      const last = result.stderr.trim().split("\n").at(-1)?.slice(0, 300);
      const reason = last ? `: ${last}` : "";
      throw new LabError("COMMAND_FAILED", `${this.name}: ${command} ended with exit code ${result.code}${reason}`, {
        remedy,
      });
    }
    return result.stdout;
  }

  /** Writes a line into the step's log only. */
  note(text: string): void {
    appendFileSync(this.log, `${text}\n`);
  }

  /** Stops work between two programs when somebody asked to stop. */
  checkpoint(): void {
    if (this.signal?.aborted) throw cancelled(this.name);
  }

  /** The end of the log, for the person who reads why a step failed. */
  tail(): string[] {
    if (!existsSync(this.log)) return [];
    return readFileSync(this.log, "utf8").trimEnd().split("\n").slice(-TAIL_LINES);
  }
}

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { inject, onTestFinished } from "vitest";
import type { Subject } from "./subject.ts";

/** How a program ended, with everything it wrote. */
export interface Ending {
  readonly code: number | null;
  readonly output: string;
}

/** A Python program of this folder that runs while its test does. */
export class PythonProgram {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #closed: Promise<unknown>;
  #output = "";

  /** @param environment a Python environment of the toolchain that the test's file names in its `needs:` line */
  constructor(environment: string, words: readonly string[], variables: Readonly<Record<string, string>> = {}) {
    const env = { ...process.env, ...variables };
    this.#child = spawn(pythonOf(environment), ["-B", ...words], { cwd: import.meta.dirname, env });
    this.#closed = once(this.#child, "close");
    onTestFinished(() => void this.#child.kill("SIGKILL"));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        this.#output += chunk;
      });
    }
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /**
   * Reads the next line it writes, which is JSON.
   *
   * @throws Error with everything it wrote when it ends before that
   */
  async read<T>(): Promise<T> {
    const { done, value } = await this.#lines.next();
    if (done !== true) return JSON.parse(value) as T;
    await this.#closed;
    throw new Error(`it ended:\n${this.#output}`);
  }

  /** Writes a line of JSON to it. */
  write(value: unknown): void {
    this.#child.stdin.write(`${JSON.stringify(value)}\n`);
  }

  /** Waits for its end. */
  async end(): Promise<Ending> {
    this.#child.stdin.end();
    await this.#closed;
    return { code: this.#child.exitCode, output: this.#output };
  }
}

/** Runs the tests of a Python file of this folder against a server; `words` select some. */
export function runPythonTests(
  environment: string,
  file: string,
  { rest, grpc }: Subject,
  ...words: readonly string[]
): Promise<Ending> {
  return new PythonProgram(environment, [file, ...words], { REST: rest, GRPC: grpc }).end();
}

function pythonOf(environment: string): string {
  const python = inject("tools").python[environment];
  if (python === undefined) throw new Error(`the test's file does not say that it needs ${environment}`);
  return python;
}

/** A command of a Python environment. */
export function commandOf(environment: string, name: string): string {
  return join(pythonOf(environment), "..", name);
}

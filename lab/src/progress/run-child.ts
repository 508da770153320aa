import { spawn } from "node:child_process";
import { accessSync, closeSync, constants, openSync, statSync, writeSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { createInterface } from "node:readline";
import { adopt, signalExitCode } from "./children.ts";
import { cancelled, LabError } from "./error.ts";

export interface ChildOptions {
  readonly cwd?: string;
  /** The whole environment of the child; this process's own when left out. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Written to the child's standard input, which is empty otherwise. */
  readonly input?: string;
  /** A file that the child's output is appended to as it comes. */
  readonly log?: string;
  /** Called with each line of output as it comes. */
  readonly onLine?: (line: string, stream: "stdout" | "stderr") => void;
  /** Ends the child when it aborts; the promise then rejects with the code CANCELLED. */
  readonly signal?: AbortSignal;
  /** Ends the child after this time; the promise then rejects with the code CHILD_TIMEOUT. */
  readonly timeoutSeconds?: number;
}

export interface ChildResult {
  /** The exit code; 128 + n for a child that was ended by signal n. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The absolute path of a program on PATH, or undefined. */
export function findProgram(name: string, path = process.env.PATH ?? ""): string | undefined {
  const candidates =
    isAbsolute(name) || name.includes("/") ? [name] : path.split(delimiter).map((folder) => join(folder, name));
  return candidates.find((candidate) => {
    try {
      accessSync(candidate, constants.X_OK);
      return statSync(candidate).isFile();
    } catch {
      return false;
    }
  });
}

let parentDeathWrapper: readonly string[] | undefined;

/** Words before a command that have the kernel end it when this process dies without a chance to do so (kill -9). */
export function endWithParent(): readonly string[] {
  const setpriv = findProgram("setpriv");
  parentDeathWrapper ??= setpriv ? [setpriv, "--pdeathsig", "TERM", "--"] : [];
  return parentDeathWrapper;
}

/**
 * Runs a program to its end, in a process group of its own that this process answers for: signals are forwarded to it, and
 * nothing of the group stays behind.
 * @returns the exit code and the output, whatever the code is.
 * @throws LabError CHILD_NOT_FOUND, CHILD_TIMEOUT or CANCELLED.
 */
export async function runChild(
  command: string,
  args: readonly string[],
  options: ChildOptions = {},
): Promise<ChildResult> {
  const name = command.split("/").at(-1) ?? command;
  if (options.signal?.aborted) throw cancelled(name);
  const environment = options.environment ?? process.env;
  const program = findProgram(command, environment.PATH);
  if (!program) {
    throw new LabError("CHILD_NOT_FOUND", `${command} is not on this machine`, {
      remedy: `install ${name} and run the command again`,
    });
  }
  const [executable = program, ...words] = [...endWithParent(), program, ...args];
  const log = options.log === undefined ? undefined : openSync(options.log, "a");
  const child = spawn(executable, words, {
    cwd: options.cwd,
    env: environment,
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].on("data", (chunk: Buffer) => {
      output[stream].push(chunk);
      if (log !== undefined) writeSync(log, chunk);
    });
    if (options.onLine) createInterface({ input: child[stream] }).on("line", (line) => options.onLine?.(line, stream));
  }
  child.stdin.on("error", () => undefined); // a child that does not read its input may close it
  child.stdin.end(options.input);

  const leader = child.pid;
  const group = leader === undefined ? undefined : adopt(leader);
  let timedOut = false;
  const timer = options.timeoutSeconds
    ? setTimeout(() => {
        timedOut = true;
        group?.end();
      }, options.timeoutSeconds * 1000)
    : undefined;
  const abort = () => group?.end();
  options.signal?.addEventListener("abort", abort, { once: true });
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.on("error", reject);
      // A grandchild that holds the output open must not keep a finished child waiting: end the group on exit.
      child.on("exit", () => group?.ended());
      child.on("close", (exit, signal) => resolve(signal ? signalExitCode(signal) : (exit ?? 0)));
    });
    if (timedOut) {
      throw new LabError("CHILD_TIMEOUT", `${name} did not end within ${options.timeoutSeconds} s`, {
        remedy: options.log ? `see ${options.log}, and run the command again` : "run the command again",
      });
    }
    if (group?.interrupted.aborted) throw cancelled(name);
    const text = (stream: "stdout" | "stderr") => Buffer.concat(output[stream]).toString("utf8");
    return { code, stdout: text("stdout"), stderr: text("stderr") };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", abort);
    group?.ended();
    if (log !== undefined) closeSync(log);
  }
}

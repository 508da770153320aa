import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { ActionError } from "../action-runtime/error.ts";

export interface RunOptions {
  /** Environment of the child. Default: this process's, without the action's inputs and the runner's tokens. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly directory?: string;
  /** Text for the child's standard input. Default: none. */
  readonly input?: string;
  /** Called with each line of either stream, as it comes. */
  readonly onLine?: (line: string, stream: "stdout" | "stderr") => void;
  /** Ends the child and its descendants: SIGINT at once, SIGKILL after `graceMilliseconds`. */
  readonly signal?: AbortSignal;
  readonly timeoutMilliseconds?: number;
  /** How long the child may take to end after SIGINT. The runner allows about 7 s. Default 4,000. */
  readonly graceMilliseconds?: number;
  /** How many characters of each stream are kept, the last ones. Default 4 Mi. */
  readonly keep?: number;
}

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment that a tool gets: inputs hold secrets that are not its business, and so do the runner's own tokens. */
export function toolEnvironment(extra: Readonly<Record<string, string | undefined>> = {}): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...process.env, ...extra }))
    if (value !== undefined && !/^(INPUT_|ACTIONS_(RUNTIME|ID_TOKEN|CACHE|RESULTS)|GITHUB_TOKEN$)/.test(name))
      environment[name] = value;
  return environment;
}

/**
 * Runs a tool to its end, without a shell, in a process group of its own, so that a cancellation reaches everything that
 * it started. Resolves with any exit code; the caller decides what one means.
 *
 * @throws ActionError `TOOL_MISSING` when it cannot be started, `TIMEOUT` when it ran past its time, or the signal's reason.
 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  options.signal?.throwIfAborted();
  const child = spawn(command, args, {
    cwd: options.directory,
    env: options.environment ? { ...options.environment } : toolEnvironment(),
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  const kept = keepLines(child, options);
  const stop = endWhenAsked(child, command, options);
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.on("error", (cause) => reject(missing(command, cause)));
      child.on("close", (code, signal) => resolve(code ?? (signal ? 128 : 1)));
    });
    if (stop.reason) throw stop.reason;
    return { exitCode, stdout: kept.stdout(), stderr: kept.stderr() };
  } finally {
    stop.dispose();
  }
}

function missing(command: string, cause: Error): ActionError {
  return new ActionError("TOOL_MISSING", {
    message: `'${command}' could not be started: ${cause.message}`,
    remedy: `install ${command} on the runner, or put it on PATH`,
    blame: "inconclusive",
    cause,
  });
}

function keepLines(child: ChildProcess, options: RunOptions) {
  const limit = options.keep ?? 4 * 1024 * 1024;
  const follow = (name: "stdout" | "stderr") => {
    const chunks: string[] = [];
    let length = 0;
    const stream = child[name];
    if (!stream) return () => "";
    createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on("line", (line) => {
      options.onLine?.(line, name);
      chunks.push(line);
      length += line.length + 1;
      while (length > limit && chunks.length > 1) length -= (chunks.shift()?.length ?? 0) + 1;
    });
    return () => chunks.join("\n");
  };
  return { stdout: follow("stdout"), stderr: follow("stderr") };
}

function endWhenAsked(child: ChildProcess, command: string, options: RunOptions) {
  const state: { reason?: unknown } = {};
  let killer: NodeJS.Timeout | undefined;
  const signalGroup = (name: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // The group is gone already.
    }
  };
  const end = (reason: unknown) => {
    if (state.reason) return;
    state.reason = reason;
    signalGroup("SIGINT");
    killer = setTimeout(() => signalGroup("SIGKILL"), options.graceMilliseconds ?? 4_000);
  };
  const onAbort = () => end(options.signal?.reason);
  options.signal?.addEventListener("abort", onAbort, { once: true });
  const timer =
    options.timeoutMilliseconds === undefined
      ? undefined
      : setTimeout(() => end(timedOut(command, options.timeoutMilliseconds ?? 0)), options.timeoutMilliseconds);
  return {
    get reason() {
      return state.reason;
    },
    dispose() {
      options.signal?.removeEventListener("abort", onAbort);
      clearTimeout(timer);
      if (killer) signalGroup("SIGKILL");
      clearTimeout(killer);
    },
  };
}

function timedOut(command: string, milliseconds: number): ActionError {
  return new ActionError("TIMEOUT", {
    message: `'${command}' did not end within ${milliseconds / 1_000} s and was stopped`,
    remedy: "see the tool's last lines in the log; raise the action's timeout if the work is really that long",
    blame: "inconclusive",
  });
}

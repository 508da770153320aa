import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A command to run. */
export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

const running = new Set<PinnedProcess>();

/** Kills whatever was started and still runs. */
export function endAll(): void {
  for (const one of running) one.kill();
}

/** A process on given processor cores, in a group of its own, which does not outlive this process. */
export class PinnedProcess {
  readonly child: ChildProcess;
  /** Milliseconds on the clock of `performance.now()`. */
  readonly started = performance.now();
  /** Resolves to the exit code, or to the signal's name. */
  readonly ended: Promise<number | string>;
  readonly #log: string | undefined;

  /**
   * @param cores as `taskset` writes lists, for example `0` or `1,2`
   * @param log takes what the process writes; without it standard output is a pipe and errors go to this process's own
   */
  constructor({ command, args, environment, cwd }: Command, cores: string, log?: string) {
    const file = log === undefined ? undefined : openSync(log, "a");
    const words = ["--pdeathsig", "KILL", "--", "taskset", "--cpu-list", cores, command, ...args];
    this.#log = log;
    this.child = spawn("setpriv", words, {
      cwd,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, LANG: "C.UTF-8", ...environment },
      stdio: ["ignore", file ?? "pipe", file ?? "inherit"],
      detached: true,
    });
    if (file !== undefined) closeSync(file);
    running.add(this);
    this.ended = once(this.child, "close").then(([code, signal]) => {
      running.delete(this);
      return code ?? signal;
    });
    this.child.on("error", () => running.delete(this));
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** The end of the log, for the message of an error. */
  tail(): string {
    if (this.#log === undefined) return "";
    return readFileSync(this.#log, "utf8").trimEnd().split("\n").slice(-12).join("\n");
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Kills the whole group at once. */
  kill(): void {
    try {
      if (this.child.pid !== undefined) process.kill(-this.child.pid, "SIGKILL");
    } catch {
      // the group is gone
    }
  }

  /** Kills the whole group, and resolves when the process is gone. */
  async end(): Promise<void> {
    this.kill();
    await this.ended;
  }

  /** Asks it to end, and makes it end after ten seconds. */
  async stop(): Promise<void> {
    this.signal("SIGTERM");
    const late = new AbortController();
    const limit = sleep(10_000, undefined, { signal: late.signal }).catch(() => undefined);
    await Promise.race([this.ended, limit]);
    late.abort();
    await this.end();
  }

  /** Resident memory of the process and its children, in bytes. Pages that they share count for each. */
  residentBytes(): number {
    return this.#sumOverGroup((pid) => {
      const kilobytes = /^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
      return Number(kilobytes ?? 0) * 1024;
    });
  }

  /** Processor time that the process and its children have used, in seconds. */
  processorSeconds(): number {
    return this.#sumOverGroup((_, [user, system]) => (user + system) / TICKS_PER_SECOND);
  }

  #sumOverGroup(measure: (pid: string, ticks: readonly [number, number]) => number): number {
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return pids.map((pid) => valueIfInGroup(pid, this.child.pid, measure)).reduce((sum, value) => sum + value, 0);
  }
}

/** The kernel's unit of time in /proc; the same on every Linux of this architecture. */
const TICKS_PER_SECOND = 100;

/** Reads `/proc/PID/stat`: after the name the fields state, parent, group …, and times from the 12th on. */
function valueIfInGroup(
  pid: string,
  group: number | undefined,
  measure: (pid: string, ticks: readonly [number, number]) => number,
): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (Number(fields[2]) !== group) return 0;
    return measure(pid, [Number(fields[11]), Number(fields[12])]);
  } catch {
    return 0; // it ended meanwhile
  }
}

/** Runs a command to its end and returns what it wrote to standard output. @throws Error when its exit code is not 0. */
export async function runToEnd(command: Command, cores: string): Promise<string> {
  const child = new PinnedProcess(command, cores);
  const chunks: Buffer[] = [];
  child.child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
  const code = await child.ended;
  if (code !== 0) throw new Error(`${command.command} ended with ${code}`);
  return Buffer.concat(chunks).toString("utf8");
}

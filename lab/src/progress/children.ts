import { constants } from "node:os";

/** How long a child may take after SIGINT, and then after SIGTERM: as a workflow runner does it. */
const AFTER_INTERRUPT_MS = 5000;
const AFTER_TERMINATE_MS = 2000;

const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** The process groups of the running children, by the id of their leader. */
const running = new Map<number, () => void>();

function signalGroup(leader: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(-leader, signal);
  } catch {
    return false; // the group is gone
  }
}

/** Asks a process group to end, and makes it end: SIGINT, SIGTERM, SIGKILL. */
function insist(leader: number): void {
  signalGroup(leader, "SIGINT");
  const terminate = setTimeout(() => {
    if (!running.has(leader) || !signalGroup(leader, "SIGTERM")) return;
    setTimeout(() => running.has(leader) && signalGroup(leader, "SIGKILL"), AFTER_TERMINATE_MS).unref();
  }, AFTER_INTERRUPT_MS);
  terminate.unref();
}

function forward(): void {
  for (const end of running.values()) end();
}

function killAll(): void {
  for (const leader of running.keys()) signalGroup(leader, "SIGKILL");
}

/**
 * Takes charge of a child that leads a process group of its own: signals that ask this process to stop are passed on to
 * the group, and the group does not outlive this process.
 * @param stop how the group is asked to stop, and made to: SIGINT, SIGTERM, SIGKILL when left out.
 * @returns `end` asks the group to stop and insists; `interrupted` has aborted once that was done, by whomever; `ended`
 * must be called when the leader has exited, and removes what the leader left behind in its group.
 */
export function adopt(
  leader: number,
  stop = () => insist(leader),
): { end: () => void; interrupted: AbortSignal; ended: () => void } {
  if (running.size === 0) {
    for (const signal of FORWARDED) process.on(signal, forward);
    process.on("exit", killAll);
  }
  const interrupted = new AbortController();
  const end = () => {
    if (interrupted.signal.aborted) return;
    interrupted.abort();
    stop();
  };
  running.set(leader, end);
  return {
    end,
    interrupted: interrupted.signal,
    ended: () => {
      if (!running.delete(leader)) return;
      signalGroup(leader, "SIGKILL");
      if (running.size > 0) return;
      for (const signal of FORWARDED) process.off(signal, forward);
      process.off("exit", killAll);
    },
  };
}

/** The exit code that a shell reports for a process ended by this signal. */
export function signalExitCode(signal: NodeJS.Signals): number {
  return 128 + (constants.signals[signal] ?? 0);
}

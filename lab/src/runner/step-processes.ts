import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** The variable by which GitHub's runner, too, finds what a job has left behind. */
export const TRACKING_VARIABLE = "RUNNER_TRACKING_ID";

/** What a workflow runner waits after SIGINT, and then after SIGTERM, before it kills a step. */
export const GRACE = { afterInterruptMs: 7500, afterTerminateMs: 2500 };

const POLL_MS = 50;

export interface TrackedProcess {
  readonly pid: number;
  readonly parent: number;
}

/** The processes that steps of a run have started, and what those started, as far as they kept their environment. */
export function trackedProcesses(trackingId: string): TrackedProcess[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => tracked(Number(name), trackingId))
    .filter((process) => process !== undefined);
}

function tracked(pid: number, trackingId: string): TrackedProcess | undefined {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
    if (!environment.split("\0").includes(`${TRACKING_VARIABLE}=${trackingId}`)) return undefined;
    const status = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, parent] = status.slice(status.lastIndexOf(")") + 2).split(" ");
    return state === "Z" || parent === undefined ? undefined : { pid, parent: Number(parent) };
  } catch {
    return undefined; // it ended while we looked, or is somebody else's
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended
  }
}

/**
 * Ends the running steps as GitHub's runner does: SIGINT to each step's own process, SIGTERM if it goes on, and SIGKILL to
 * everything that is left of it in the end.
 * @param runner the process whose children the steps are.
 */
export async function endSteps(trackingId: string, runner: number): Promise<void> {
  const leaders = trackedProcesses(trackingId)
    .filter(({ parent }) => parent === runner)
    .map(({ pid }) => pid);
  const gone = async (milliseconds: number) => {
    for (const deadline = Date.now() + milliseconds; Date.now() < deadline; await sleep(POLL_MS)) {
      const alive = new Set(trackedProcesses(trackingId).map(({ pid }) => pid));
      if (!leaders.some((pid) => alive.has(pid))) return true;
    }
    return false;
  };
  for (const pid of leaders) send(pid, "SIGINT");
  if (await gone(GRACE.afterInterruptMs)) return;
  for (const pid of leaders) send(pid, "SIGTERM");
  if (await gone(GRACE.afterTerminateMs)) return;
  killTracked(trackingId);
}

/** Kills everything that a run's steps have left behind. */
export function killTracked(trackingId: string): void {
  for (const { pid } of trackedProcesses(trackingId)) send(pid, "SIGKILL");
}

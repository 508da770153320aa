import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Namespaces } from "../namespaces/namespaces.ts";
import { isAlive, labProcesses, partProcess, startedAt } from "../namespaces/process-table.ts";
import { cancelled, isCancelled, LabError } from "../progress/error.ts";
import type { Progress } from "../progress/progress.ts";
import type { Step } from "../progress/step.ts";
import type { LabHome } from "../state/home.ts";
import type { Part } from "./part.ts";
import { endPart } from "./take-down.ts";

const POLL_MS = 100;
/** A part that has run for longer than its patience is believed to be ill after it has failed to answer for this long. */
const KEEP_WITHIN_MS = 4000;
const APPEARS_WITHIN_MS = 1000;

/** Which parts `bringUp` had to start; the others were up and well. */
export interface BroughtUp {
  readonly started: readonly string[];
  readonly kept: readonly string[];
}

/**
 * Makes every part run and be ready: each as soon as those it needs are, the others beside it. A part that runs with the
 * wanted configuration and answers is left alone.
 * @throws LabError PART_ENDED, PART_NOT_READY of the first part that failed; CANCELLED.
 */
export async function bringUp(
  home: LabHome,
  namespaces: Namespaces,
  parts: readonly Part[],
  progress: Progress,
): Promise<BroughtUp> {
  const failed = new AbortController();
  const signal = progress.signal ? AbortSignal.any([progress.signal, failed.signal]) : failed.signal;
  const done = new Map<string, Promise<boolean>>();
  for (const part of parts) {
    const needs = part.needs.map((name) => {
      const need = done.get(name);
      if (!need) throw new Error(`${part.name} needs ${name}, which does not come before it`);
      return need;
    });
    const up = Promise.all(needs).then(() => bringUpOne(home, namespaces, part, progress, signal));
    up.catch((error: unknown) => failed.abort(error));
    done.set(part.name, up);
  }
  const outcomes = await Promise.allSettled(done.values());
  const errors = outcomes.filter((outcome) => outcome.status === "rejected").map((outcome) => outcome.reason);
  if (errors.length > 0) throw errors.find((error) => !isCancelled(error)) ?? errors[0];
  const names = (started: boolean) =>
    parts
      .filter((_, index) => {
        const outcome = outcomes[index];
        return outcome?.status === "fulfilled" && outcome.value === started;
      })
      .map((part) => part.name);
  return { started: names(true), kept: names(false) };
}

/** Resolves to whether the part had to be started. */
async function bringUpOne(
  home: LabHome,
  namespaces: Namespaces,
  part: Part,
  progress: Progress,
  signal: AbortSignal,
): Promise<boolean> {
  if (signal.aborted) throw cancelled(part.name);
  const running = wantedProcess(home, part);
  if (running !== undefined && (await whyNotReady(part)) === undefined) {
    await part.settle();
    return false;
  }
  const work = async (step: Step) => {
    const keep = running !== undefined && (await answersInTime(part, running, step, signal));
    if (!keep) {
      await endPart(home, part);
      await part.start(namespaces, step);
    }
    try {
      if (!keep) await untilReady(home, part, signal);
      await part.settle();
    } catch (error) {
      if (!isCancelled(error)) step.note(logTail(part.log));
      throw error;
    }
    return !keep;
  };
  return progress.step(part.name, work, signal);
}

/** The process that runs the part as it is wanted, if one does. */
function wantedProcess(home: LabHome, part: Part): number | undefined {
  const process = partProcess(labProcesses(home.id), part.name);
  return process?.fingerprint === part.fingerprint() ? process.pid : undefined;
}

/**
 * Whether a process that does not answer comes to answer. One that an earlier `up` has started a moment ago gets what is
 * left of its part's patience: to end it in the middle of its first start could damage its data.
 */
async function answersInTime(part: Part, pid: number, step: Step, signal: AbortSignal): Promise<boolean> {
  const started = startedAt(pid)?.getTime() ?? 0;
  const deadline = Math.max(Date.now() + KEEP_WITHIN_MS, started + part.patienceSeconds * 1000);
  step.detail = "it runs; waiting for its answer";
  try {
    for (; Date.now() < deadline; await sleep(POLL_MS)) {
      if (signal.aborted) throw cancelled(part.name);
      if (!isAlive(pid)) return false;
      if ((await whyNotReady(part)) === undefined) return true;
    }
    return false;
  } finally {
    step.detail = "";
  }
}

async function whyNotReady(part: Part): Promise<unknown> {
  try {
    await part.ready();
    return undefined;
  } catch (error) {
    return error ?? new Error("no reason given");
  }
}

/** The process that was just started. While it turns into its program its environment cannot be read, for a moment. */
async function startedProcess(home: LabHome, part: Part): Promise<number | undefined> {
  for (const deadline = Date.now() + APPEARS_WITHIN_MS; Date.now() < deadline; await sleep(POLL_MS / 4)) {
    const process = partProcess(labProcesses(home.id), part.name);
    if (process) return process.pid;
  }
  return undefined;
}

async function untilReady(home: LabHome, part: Part, signal: AbortSignal): Promise<void> {
  const pid = await startedProcess(home, part);
  const deadline = Date.now() + part.patienceSeconds * 1000;
  for (;;) {
    if (signal.aborted) throw cancelled(part.name);
    if (pid === undefined || !isAlive(pid)) {
      throw new LabError("PART_ENDED", `${part.name} ended by itself while it started`, {
        remedy: `see the end of its log: npm run lab -- logs ${part.name} --name ${home.name}`,
      });
    }
    const cause = await whyNotReady(part);
    if (cause === undefined) return;
    if (Date.now() > deadline) {
      throw new LabError("PART_NOT_READY", `${part.name} was not ready within ${part.patienceSeconds} s`, {
        remedy: `see its log: npm run lab -- logs ${part.name} --name ${home.name}`,
        cause,
      });
    }
    await sleep(POLL_MS);
  }
}

/** The last lines of a log, read from its end. */
function logTail(log: string, bytes = 4000): string {
  if (!existsSync(log)) return "";
  const file = openSync(log, "r");
  try {
    const { size } = fstatSync(file);
    const buffer = Buffer.alloc(Math.min(bytes, size));
    readSync(file, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString("utf8").split("\n").slice(-15).join("\n");
  } finally {
    closeSync(file);
  }
}

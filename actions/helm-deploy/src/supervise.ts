import type { ActionContext } from "../../shared/src/action-runtime/action.ts";
import type { RunResult } from "../../shared/src/child-process/run.ts";
import { type Capture, captureEvidence } from "../../shared/src/kubernetes/capture.ts";
import { type Diagnosis, diagnose } from "../../shared/src/kubernetes/diagnosis.ts";
import type { Kubectl } from "../../shared/src/kubernetes/kubectl.ts";
import { describeProgress, rolloutProgress, type WorkloadProgress } from "../../shared/src/kubernetes/rollout.ts";
import { type Snapshot, SnapshotReader } from "../../shared/src/kubernetes/snapshot.ts";
import { type Helm, type HelmFailure, helmFailure, lastLine } from "./helm.ts";

export interface Target {
  readonly release: string;
  readonly namespace: string;
}

/** How a Helm command that changes the release ended. */
export type Rollout =
  | { readonly ended: "well"; readonly progress: readonly WorkloadProgress[] }
  | {
      readonly ended: "badly";
      /** Helm's own words. */
      readonly said: string;
      readonly failure: HelmFailure;
      /** The most certain cause, if one is known. */
      readonly diagnosis: Diagnosis | undefined;
      readonly capture: Capture;
    };

const pollMilliseconds = 1_500;
/** A line at least so often while nothing changes, so that nobody takes the job for dead. */
const reminderMilliseconds = 15_000;

/**
 * Runs a Helm command that waits, and watches the release's workloads while it does: prints progress, stops it early on a
 * cause that waiting cannot heal, and collects the evidence of a failure while it is still there.
 *
 * @param timeoutMilliseconds what Helm was given as its own timeout
 */
export async function supervise(
  args: readonly string[],
  target: Target,
  timeoutMilliseconds: number,
  tools: { readonly helm: Helm; readonly kubectl: Kubectl },
  context: ActionContext,
): Promise<Rollout> {
  const reader = new SnapshotReader(tools.kubectl, target.namespace, target.release);
  const generations = generationsOf(rolloutProgress(await reader.read()));
  const work = (hopeless: AbortSignal) => runHelm(args, timeoutMilliseconds, hopeless, tools.helm, context);
  return await follow(work, generations, reader, timeoutMilliseconds, target, tools.kubectl, context);
}

/** Waits until the pods of a release are as its last revision wants them, and changes nothing. Fails as `supervise` does. */
export async function inspect(
  target: Target,
  timeoutMilliseconds: number,
  { kubectl }: { readonly kubectl: Kubectl },
  context: ActionContext,
): Promise<Rollout> {
  const reader = new SnapshotReader(kubectl, target.namespace, target.release);
  const nothing = async () => ({ exitCode: 0, stdout: "", stderr: "" });
  return await follow(nothing, new Map(), reader, timeoutMilliseconds, target, kubectl, context);
}

async function follow(
  work: (hopeless: AbortSignal) => Promise<RunResult>,
  generations: Generations,
  reader: SnapshotReader,
  timeoutMilliseconds: number,
  target: Target,
  kubectl: Kubectl,
  context: ActionContext,
): Promise<Rollout> {
  const hopeless = new AbortController();
  const watching = new AbortController();
  const stop = () => hopeless.abort(new Error("hopeless"));
  const watched = watch(reader, generations, stop, watching.signal, context);
  const giveUp = context.clock.now() + timeoutMilliseconds;
  let result: RunResult;
  let done = false;
  try {
    result = await work(hopeless.signal);
    done = result.exitCode === 0 && (await untilDone(reader, giveUp, hopeless.signal, context));
  } finally {
    watching.abort(new Error("the rollout has ended"));
    await watched;
  }
  const snapshot = await reader.read();
  const progress = rolloutProgress(snapshot);
  if (done) return { ended: "well", progress };
  const diagnosis = diagnose(progress, snapshot.events)[0];
  const capture = await captureEvidence(kubectl, target.namespace, snapshot, progress, diagnosis, context.clock);
  const endedWell = result.exitCode === 0;
  return {
    ended: "badly",
    said: endedWell ? "helm ended well, but the rollout has not" : lastLine(result.stderr),
    failure: endedWell ? "timeout" : helmFailure(result.stderr),
    diagnosis,
    capture,
  };
}

async function runHelm(
  args: readonly string[],
  timeoutMilliseconds: number,
  hopeless: AbortSignal,
  helm: Helm,
  { log, signal }: ActionContext,
): Promise<RunResult> {
  try {
    return await helm.run(args, {
      signal: AbortSignal.any([signal, hopeless]),
      // Helm keeps its own time, for hooks and for the rollout each; this is for a Helm that hangs.
      timeoutMilliseconds: 3 * timeoutMilliseconds + 60_000,
      onLine: (line, stream) => (stream === "stderr" ? log.tool(line) : undefined),
    });
  } catch (error) {
    if (!hopeless.aborted || signal.aborted) throw error;
    return { exitCode: 1, stdout: "", stderr: "Error: stopped, since waiting on was hopeless" };
  }
}

/**
 * Whether the controllers have replaced all pods. Helm has been seen to end well before they had begun: it looked at the
 * state from before its own change.
 */
async function untilDone(
  reader: SnapshotReader,
  giveUp: number,
  hopeless: AbortSignal,
  { clock, signal }: ActionContext,
): Promise<boolean> {
  for (;;) {
    if (rolloutProgress(await reader.read()).every((workload) => workload.done)) return true;
    if (hopeless.aborted || clock.now() >= giveUp) return false;
    await clock.sleep(pollMilliseconds, signal);
  }
}

type Generations = ReadonlyMap<string, number>;

function generationsOf(progress: readonly WorkloadProgress[]): Generations {
  return new Map(progress.map(({ kind, name, generation }) => [`${kind} ${name}`, generation]));
}

/** Prints progress and calls `stop` when a cause has lasted too long. Ends when `until` is aborted; never throws. */
async function watch(
  reader: SnapshotReader,
  before: Generations,
  stop: () => void,
  until: AbortSignal,
  { clock, log }: ActionContext,
): Promise<void> {
  const since = new Map<string, number>();
  const started = clock.now();
  let printed = { lines: "", at: started };
  while (!until.aborted) {
    const snapshot = await reader.read().catch((error: Error): Snapshot | undefined => {
      if (!until.aborted) log.line(`the cluster could not be watched for a moment: ${error.message}`);
      return undefined;
    });
    if (snapshot && !until.aborted) {
      // What Helm has not changed yet is the state before this rollout, and says nothing about it.
      const progress = rolloutProgress(snapshot).filter(
        ({ kind, name, generation }) => generation > (before.get(`${kind} ${name}`) ?? 0),
      );
      const lines = progress.map(describeProgress).join("; ");
      if (lines !== "" && (lines !== printed.lines || clock.now() - printed.at >= reminderMilliseconds)) {
        log.line(`${Math.round((clock.now() - started) / 1_000)} s: ${lines}`);
        printed = { lines, at: clock.now() };
      }
      const hopeless = lasting(diagnose(progress, snapshot.events), since, clock.now());
      if (hopeless) {
        log.line(`waiting on is hopeless: ${hopeless.sentence}`);
        return stop();
      }
    }
    await clock.sleep(pollMilliseconds, until).catch(() => undefined);
  }
}

/** The first diagnosis that has lasted as long as makes it hopeless. `since` remembers when each was first seen. */
export function lasting(
  diagnoses: readonly Diagnosis[],
  since: Map<string, number>,
  now: number,
): Diagnosis | undefined {
  const key = ({ cause, container }: Diagnosis) => `${cause} ${container ?? ""}`;
  const seen = new Set(diagnoses.map(key));
  for (const gone of [...since.keys()].filter((known) => !seen.has(known))) since.delete(gone);
  for (const known of seen) if (!since.has(known)) since.set(known, now);
  return diagnoses.find((diagnosis) => now - (since.get(key(diagnosis)) ?? now) >= diagnosis.hopelessAfter);
}

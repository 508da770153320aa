import { type Clock, systemClock } from "../action-runtime/clock.ts";
import type { Diagnosis } from "./diagnosis.ts";
import type { Kubectl } from "./kubectl.ts";
import { podState, type WorkloadProgress } from "./rollout.ts";
import type { Snapshot } from "./snapshot.ts";

/** What was seen of a failed rollout, kept before a rollback takes the pods away. All of it is untrusted text. */
export interface Capture {
  /** Pods with their states. */
  readonly pods: readonly string[];
  /** The newest warnings of the namespace about the release's pods. */
  readonly events: readonly string[];
  /** The last lines of the container that is to blame. */
  readonly log: readonly string[];
}

/** Collects evidence about a rollout that does not get on. Never throws: half of the evidence is worth more than none. */
export async function captureEvidence(
  kubectl: Kubectl,
  namespace: string,
  snapshot: Snapshot,
  progress: readonly WorkloadProgress[],
  diagnosis: Diagnosis | undefined,
  clock: Clock = systemClock,
): Promise<Capture> {
  const pods = progress.flatMap((workload) => workload.pods);
  const uids = new Set(pods.map(({ metadata }) => metadata?.uid));
  const replicaSets = new Set(progress.map(({ replicaSet }) => replicaSet?.metadata?.uid));
  const events = snapshot.events
    .filter(({ involvedObject }) => uids.has(involvedObject?.uid) || replicaSets.has(involvedObject?.uid))
    .filter(({ type }) => type !== "Normal")
    .map(({ reason, message, count, involvedObject }) => {
      const times = count && count > 1 ? ` (${count} times)` : "";
      return `${involvedObject?.kind} ${involvedObject?.name}: ${reason}: ${message}${times}`;
    });
  return {
    pods: pods.map((pod) => `${pod.metadata?.name}: ${podState(pod)}`),
    events: [...new Set(events)].slice(-20),
    log: await lastLines(kubectl, namespace, diagnosis, clock),
  };
}

/** A container that crashes again and again is between two lives for a moment, without a log of either. */
const attempts = 4;
const pauseMilliseconds = 1_000;

/** A container that crashed has its words in the log of the run before, or, until it runs again, in its own. */
async function lastLines(
  kubectl: Kubectl,
  namespace: string,
  diagnosis: Diagnosis | undefined,
  clock: Clock,
): Promise<string[]> {
  const { pod, container } = diagnosis ?? {};
  if (pod === undefined || container === undefined) return [];
  for (let attempt = 1; ; attempt += 1) {
    for (const previous of [true, false]) {
      // The pod may be gone, or its node away.
      const text = await kubectl.logs(namespace, pod, container, { previous, lines: 40 }).catch(() => undefined);
      if (text !== undefined && text.trim() !== "") return text.trimEnd().split("\n");
    }
    if (attempt === attempts || kubectl.signal.aborted) return [];
    await clock.sleep(pauseMilliseconds, kubectl.signal).catch(() => undefined);
  }
}

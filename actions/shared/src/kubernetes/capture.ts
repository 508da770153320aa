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
    log: await lastLines(kubectl, namespace, diagnosis),
  };
}

/** A container that crashed has its words in the log of the run before. */
async function lastLines(kubectl: Kubectl, namespace: string, diagnosis: Diagnosis | undefined): Promise<string[]> {
  if (diagnosis?.pod === undefined || diagnosis.container === undefined) return [];
  for (const previous of [true, false]) {
    try {
      const text = await kubectl.logs(namespace, diagnosis.pod, diagnosis.container, { previous, lines: 40 });
      if (text !== undefined && text.trim() !== "") return text.trimEnd().split("\n");
    } catch {
      // The pod may be gone, or its node away.
    }
  }
  return [];
}

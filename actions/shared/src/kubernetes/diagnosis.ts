import type { Blame } from "../action-runtime/error.ts";
import { admissionFindings } from "./admission-causes.ts";
import { containerFindings } from "./container-causes.ts";
import type { KubernetesEvent, Pod } from "./objects.ts";
import { podFindings } from "./pod-causes.ts";
import type { WorkloadProgress } from "./rollout.ts";

export type Cause =
  | "image-not-found"
  | "image-denied"
  | "image-unreachable"
  | "image-unusable"
  | "crash-loop"
  | "out-of-memory"
  | "liveness-probe"
  | "readiness-probe"
  | "invalid-configuration"
  | "volume"
  | "pod-security"
  | "admission"
  | "quota"
  | "unschedulable"
  | "evicted"
  | "sandbox"
  | "slow-start"
  | "slow-pull";

/** Why a rollout does not get on. */
export interface Diagnosis {
  readonly cause: Cause;
  /** One sentence for people. */
  readonly sentence: string;
  /** What was seen, word for word; it comes from the cluster and the container, and is not to be trusted. */
  readonly evidence: readonly string[];
  readonly remedy: string;
  /** Whether the release is at fault or the infrastructure. */
  readonly blame: Blame;
  /** How long, in milliseconds, this must last until waiting on is hopeless. Infinite where it may well heal by itself. */
  readonly hopelessAfter: number;
  readonly pod?: string;
  readonly container?: string;
}

/**
 * The causes that keep a release's newest pods from becoming ready, the most certain first. Empty where nothing is wrong,
 * or nothing is known to be.
 */
export function diagnose(progress: readonly WorkloadProgress[], events: readonly KubernetesEvent[]): Diagnosis[] {
  const findings = progress
    .filter(({ done }) => !done)
    .flatMap((workload) => [
      ...admissionFindings(workload),
      ...workload.pods.flatMap((pod) => {
        const ofPod = eventsOf(pod, events);
        return [...containerFindings(pod, ofPod), ...podFindings(pod, ofPod)];
      }),
    ]);
  return findings.sort((a, b) => a.hopelessAfter - b.hopelessAfter || rank(a.blame) - rank(b.blame));
}

function rank(blame: Blame): number {
  return blame === "fail" ? 0 : 1;
}

/** Events about one pod, oldest first. */
function eventsOf(pod: Pod, events: readonly KubernetesEvent[]): KubernetesEvent[] {
  const uid = pod.metadata?.uid;
  const time = (event: KubernetesEvent) =>
    Date.parse(event.lastTimestamp ?? event.eventTime ?? event.metadata?.creationTimestamp ?? "") || 0;
  return events.filter(({ involvedObject }) => involvedObject?.uid === uid).sort((a, b) => time(a) - time(b));
}

import { isLeaving, isOwnedBy, isReady, type Pod, type ReplicaSet, type Workload } from "./objects.ts";
import type { Snapshot } from "./snapshot.ts";

/** How far one workload's rollout has come. */
export interface WorkloadProgress {
  readonly kind: Workload["kind"];
  readonly name: string;
  readonly generation: number;
  /** Pods that are wanted. */
  readonly desired: number;
  /** Pods of the newest revision. */
  readonly updated: number;
  /** Ready pods of the newest revision. */
  readonly ready: number;
  readonly done: boolean;
  /** Pods of the newest revision, found by their owners: names say nothing. */
  readonly pods: readonly Pod[];
  /** The newest revision of a Deployment. */
  readonly replicaSet: ReplicaSet | undefined;
}

/** The progress of every workload of a release. Source of the conditions of `done`: kubectl, pkg/polymorphichelpers/rollout_status.go. */
export function rolloutProgress(snapshot: Snapshot): WorkloadProgress[] {
  return snapshot.workloads.map((workload) => {
    const { metadata, status } = workload;
    const generation = metadata?.generation ?? 0;
    const observed = (status?.observedGeneration ?? 0) >= generation;
    const replicaSet = observed ? currentReplicaSet(workload, snapshot.replicaSets) : undefined;
    const pods = observed ? currentPods(workload, replicaSet, snapshot.pods) : [];
    const { desired, settled } = figures(workload);
    const ready = pods.filter(isReady).length;
    return {
      kind: workload.kind,
      name: metadata?.name ?? "",
      generation,
      desired,
      updated: pods.length,
      ready,
      done: observed && settled && ready >= desired,
      pods,
      replicaSet,
    };
  });
}

/**
 * How many pods of the newest revision a workload wants, and whether its controller has replaced all older ones. Where
 * people replace pods themselves (a paused Deployment, OnDelete, a partition), there is nothing to wait for.
 */
function figures(workload: Workload): { desired: number; settled: boolean } {
  switch (workload.kind) {
    case "Deployment": {
      const { spec, status } = workload;
      const desired = spec?.replicas ?? 1;
      if (spec?.paused) return { desired: 0, settled: true };
      const updated = status?.updatedReplicas ?? 0;
      const settled =
        updated >= desired && (status?.replicas ?? 0) <= updated && (status?.availableReplicas ?? 0) >= updated;
      return { desired, settled };
    }
    case "StatefulSet": {
      const { spec, status } = workload;
      const replicas = spec?.replicas ?? 1;
      if (spec?.updateStrategy?.type === "OnDelete") return { desired: 0, settled: true };
      const desired = Math.max(0, replicas - (spec?.updateStrategy?.rollingUpdate?.partition ?? 0));
      return { desired, settled: (status?.updatedReplicas ?? 0) >= desired };
    }
    case "DaemonSet": {
      const { spec, status } = workload;
      if (spec?.updateStrategy?.type === "OnDelete") return { desired: 0, settled: true };
      const desired = status?.desiredNumberScheduled ?? 0;
      return { desired, settled: (status?.updatedNumberScheduled ?? 0) >= desired };
    }
  }
}

const revisionAnnotation = "deployment.kubernetes.io/revision";

function currentReplicaSet(workload: Workload, replicaSets: readonly ReplicaSet[]): ReplicaSet | undefined {
  if (workload.kind !== "Deployment") return undefined;
  const revision = workload.metadata?.annotations?.[revisionAnnotation];
  return replicaSets.find(
    ({ metadata }) =>
      isOwnedBy(metadata, workload.metadata) && metadata?.annotations?.[revisionAnnotation] === revision,
  );
}

/** Pods of the newest revision that are not on their way out. */
function currentPods(workload: Workload, replicaSet: ReplicaSet | undefined, pods: readonly Pod[]): Pod[] {
  const staying = pods.filter((pod) => !isLeaving(pod));
  const owned = (owner: Workload["metadata"]) => staying.filter((pod) => isOwnedBy(pod.metadata, owner));
  switch (workload.kind) {
    case "Deployment":
      return replicaSet ? owned(replicaSet.metadata) : [];
    case "StatefulSet": {
      const revision = workload.status?.updateRevision;
      return owned(workload.metadata).filter(
        ({ metadata }) => metadata?.labels?.["controller-revision-hash"] === revision,
      );
    }
    case "DaemonSet": {
      const generation = workload.metadata?.annotations?.["deprecated.daemonset.template.generation"];
      return owned(workload.metadata).filter(
        ({ metadata }) => generation === undefined || metadata?.labels?.["pod-template-generation"] === generation,
      );
    }
  }
}

/** One line for people, such as `Deployment digits: 1/2 pods ready (digits-7d-x2: ImagePullBackOff)`. */
export function describeProgress({ kind, name, desired, ready, pods }: WorkloadProgress): string {
  const waiting = pods.filter((pod) => !isReady(pod)).map((pod) => `${pod.metadata?.name}: ${podState(pod)}`);
  return `${kind} ${name}: ${ready}/${desired} pods ready${waiting.length > 0 ? ` (${waiting.slice(0, 3).join("; ")})` : ""}`;
}

/** What a pod that is not ready is doing, in a word or two. */
export function podState(pod: Pod): string {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  const states = statuses.map(({ state, ready }) => {
    if (state?.waiting) return state.waiting.reason ?? "waiting";
    if (state?.terminated) return state.terminated.exitCode === 0 ? "" : (state.terminated.reason ?? "ended");
    return state?.running && !ready ? "running, not ready" : "";
  });
  return states.find((state) => state !== "") ?? pod.status?.reason ?? pod.status?.phase ?? "unknown";
}

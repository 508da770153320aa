import type {
  CoreV1Event,
  V1DaemonSet,
  V1Deployment,
  V1Namespace,
  V1Pod,
  V1ReplicaSet,
  V1Service,
  V1StatefulSet,
} from "@kubernetes/client-node";

/** The client library's types describe parsed objects; in JSON a date is a text. */
type AsJson<T> = T extends Date ? string : T extends object ? { readonly [K in keyof T]: AsJson<T[K]> } : T;

export type Deployment = AsJson<V1Deployment>;
export type StatefulSet = AsJson<V1StatefulSet>;
export type DaemonSet = AsJson<V1DaemonSet>;
export type ReplicaSet = AsJson<V1ReplicaSet>;
export type Pod = AsJson<V1Pod>;
export type Service = AsJson<V1Service>;
export type Namespace = AsJson<V1Namespace>;
export type KubernetesEvent = AsJson<CoreV1Event>;
export type ContainerStatus = NonNullable<NonNullable<Pod["status"]>["containerStatuses"]>[number];
export type Metadata = NonNullable<Pod["metadata"]>;

export type Workload =
  | (Deployment & { readonly kind: "Deployment" })
  | (StatefulSet & { readonly kind: "StatefulSet" })
  | (DaemonSet & { readonly kind: "DaemonSet" });

/** Whether Helm manages the object as part of this release. Source: helm, pkg/action/validate.go. */
export function belongsToRelease(metadata: Metadata | undefined, release: string, namespace: string): boolean {
  const annotations = metadata?.annotations ?? {};
  return (
    annotations["meta.helm.sh/release-name"] === release &&
    (annotations["meta.helm.sh/release-namespace"] ?? namespace) === namespace
  );
}

export function isOwnedBy(metadata: Metadata | undefined, owner: Metadata | undefined): boolean {
  return owner?.uid !== undefined && (metadata?.ownerReferences ?? []).some(({ uid }) => uid === owner.uid);
}

/** Whether the pod is to go: it was deleted, and may run for a while yet. */
export function isLeaving(pod: Pod): boolean {
  return pod.metadata?.deletionTimestamp !== undefined;
}

export function isReady(pod: Pod): boolean {
  return (
    !isLeaving(pod) && (pod.status?.conditions ?? []).some(({ type, status }) => type === "Ready" && status === "True")
  );
}

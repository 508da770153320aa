import { ActionError } from "../action-runtime/error.ts";
import type { Kubectl } from "./kubectl.ts";
import { belongsToRelease, type KubernetesEvent, type Pod, type ReplicaSet, type Workload } from "./objects.ts";

/** What a namespace looks like at one moment, as far as a release's rollout goes. */
export interface Snapshot {
  /** Workloads of the release; the rest is of the whole namespace. */
  readonly workloads: readonly Workload[];
  readonly replicaSets: readonly ReplicaSet[];
  readonly pods: readonly Pod[];
  readonly events: readonly KubernetesEvent[];
}

type Item = { readonly kind: string } & (Workload | ReplicaSet | Pod | KubernetesEvent);

const kinds = ["deployments", "statefulsets", "daemonsets", "replicasets", "pods", "events"] as const;

/** Reads snapshots of one release, and remembers which kinds this user may not see. */
export class SnapshotReader {
  readonly #kubectl: Kubectl;
  readonly #namespace: string;
  readonly #release: string;
  #visible: readonly string[] = kinds;

  constructor(kubectl: Kubectl, namespace: string, release: string) {
    this.#kubectl = kubectl;
    this.#namespace = namespace;
    this.#release = release;
  }

  /** @throws ActionError `CLUSTER_UNREACHABLE`; `CLUSTER_FORBIDDEN` when not even pods may be read */
  async read(): Promise<Snapshot> {
    return arrange(await this.#items(), this.#release, this.#namespace);
  }

  async #items(): Promise<readonly Item[]> {
    try {
      return await this.#kubectl.list<Item>(this.#visible.join(","), this.#namespace);
    } catch (error) {
      if (!isForbidden(error) || this.#visible.length === 1) throw error;
    }
    const visible: string[] = [];
    const items: Item[] = [];
    for (const kind of this.#visible) {
      try {
        items.push(...(await this.#kubectl.list<Item>(kind, this.#namespace)));
        visible.push(kind);
      } catch (error) {
        if (!isForbidden(error) || kind === "pods") throw error;
      }
    }
    this.#visible = visible;
    return items;
  }
}

function isForbidden(error: unknown): boolean {
  return error instanceof ActionError && error.code === "CLUSTER_FORBIDDEN";
}

/** Sorts the objects of a namespace into a snapshot of one release. */
export function arrange(items: readonly Item[], release: string, namespace: string): Snapshot {
  const of = <T>(...wanted: string[]) => items.filter(({ kind }) => wanted.includes(kind)) as unknown as T[];
  return {
    workloads: of<Workload>("Deployment", "StatefulSet", "DaemonSet").filter(({ metadata }) =>
      belongsToRelease(metadata, release, namespace),
    ),
    replicaSets: of<ReplicaSet>("ReplicaSet"),
    pods: of<Pod>("Pod"),
    events: of<KubernetesEvent>("Event"),
  };
}

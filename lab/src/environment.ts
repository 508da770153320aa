import { dirname, join } from "node:path";
import { contextName, kubeconfigFile } from "./cluster/kubeconfig.ts";
import { NETWORK } from "./cluster/network.ts";
import { builderEnvironment } from "./services/builder.ts";
import { builderAddress } from "./services/buildkit.ts";
import type { LabHome } from "./state/home.ts";
import type { LabRecord } from "./state/record.ts";
import type { Toolchain } from "./toolchain/toolchain.ts";

/** Where a lab is reached. What has no other host is on 127.0.0.1 of the machine, and only there. */
export interface LabAddresses {
  /** `127.0.0.1:PORT`, which is also how images are named. */
  readonly registry: string;
  readonly mlflow: string;
  /** `unix://…`, for buildx's remote driver. */
  readonly buildkit: string;
  readonly kubernetes: { readonly kubeconfig: string; readonly context: string };
  /** The first and last port that Services of type NodePort get; each answers on 127.0.0.1. Absent for `current`. */
  readonly nodePorts?: readonly [number, number];
  /** The same services as pods reach them. Embedded cluster only. */
  readonly fromPods?: { readonly registry: string; readonly mlflow: string };
}

/** The addresses of a lab, which stay the same from its first `up` until it is purged. */
export function labAddresses(home: LabHome, record: LabRecord): LabAddresses {
  const { ports, cluster } = record;
  const contexts = { embedded: contextName(home), kind: `kind-${home.cgroup}`, current: cluster.context ?? "" };
  return {
    registry: `127.0.0.1:${ports.registry}`,
    mlflow: `http://127.0.0.1:${ports.mlflow}`,
    buildkit: builderAddress(home),
    kubernetes: { kubeconfig: kubeconfigFile(home), context: contexts[cluster.kind] },
    ...(cluster.kind !== "current" && { nodePorts: ports.nodePorts }),
    ...(cluster.kind === "embedded" && {
      fromPods: { registry: `${NETWORK.node}:${ports.registry}`, mlflow: `http://${NETWORK.node}:${ports.mlflow}` },
    }),
  };
}

/** The variables of a machine that uses the lab. Programs keep their settings and caches in the lab, not in the home. */
export function labEnvironment(home: LabHome, record: LabRecord, toolchain: Toolchain): Record<string, string> {
  const { mlflow, kubernetes } = labAddresses(home, record);
  const own = (name: string) => join(home.state, "home", name);
  return {
    PATH: [toolchain.bin, dirname(process.execPath), process.env.PATH ?? ""].join(":"),
    KUBECONFIG: kubernetes.kubeconfig,
    KUBECACHEDIR: own("kube-cache"),
    HELM_CACHE_HOME: own("helm-cache"),
    HELM_CONFIG_HOME: own("helm-config"),
    HELM_DATA_HOME: own("helm-data"),
    MLFLOW_TRACKING_URI: mlflow,
    ...builderEnvironment(home),
  };
}

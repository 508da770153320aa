import type { Door } from "../doors/doors.ts";
import type { Progress } from "../progress/progress.ts";
import { builderEnvironment } from "../services/builder.ts";
import { writeIfDifferent } from "../state/atomic-file.ts";
import type { LabHome } from "../state/home.ts";
import type { ClusterChoice, LabRecord } from "../state/record.ts";
import type { Toolchain } from "../toolchain/toolchain.ts";
import { copyContext, currentContext } from "./current.ts";
import { connectRegistry, kindOf, startKind, stopKind } from "./kind.ts";
import { kubeconfig, kubeconfigFile } from "./kubeconfig.ts";
import { ensurePki } from "./pki.ts";

/** A cluster that is prepared: what the lab's parts have to know of it. */
export interface PreparedCluster {
  /** The lab's choice, with the context named. */
  readonly cluster: ClusterChoice;
  /** Addresses of the machine, beside loopback, at which the cluster's nodes reach the lab's registry. */
  readonly doors: readonly Door[];
  /** What is left to do when the parts are up. */
  connect(): Promise<void>;
}

const NOTHING_MORE = { doors: [], connect: async () => undefined };

/** Does what has to be done for the lab's kind of cluster before its parts start, and writes the lab's kubeconfig. */
export async function prepareCluster(
  home: LabHome,
  record: LabRecord,
  toolchain: Toolchain,
  progress: Progress,
): Promise<PreparedCluster> {
  const target = kubeconfigFile(home);
  const { ports } = record;
  switch (record.cluster.kind) {
    case "embedded":
      await ensurePki(home, progress);
      writeIfDifferent(target, kubeconfig(home, "admin", ports.kubernetes));
      return { cluster: { kind: "embedded" }, ...NOTHING_MORE };
    case "current":
      return progress.step("cluster", async (step) => {
        const context = record.cluster.context ?? (await currentContext(toolchain, step));
        await copyContext(context, target, toolchain, step);
        step.say(`context ${context}; its nodes must be able to pull the images that it is to run`);
        return { cluster: { kind: "current", context }, ...NOTHING_MORE };
      });
    case "kind":
      return progress.step("cluster", async (step) => {
        const kind = kindOf(home, step, builderEnvironment(home));
        const gateway = await startKind(kind, ports, target);
        return {
          cluster: { kind: "kind" },
          doors: [{ host: gateway, port: ports.registry }],
          connect: () => connectRegistry(kind, ports.registry, gateway),
        };
      });
  }
}

/** Stops what of the cluster is not a part of the lab. */
export async function stopCluster(home: LabHome, record: LabRecord, purge: boolean, progress: Progress): Promise<void> {
  if (record.cluster.kind !== "kind") return;
  await progress.step("cluster", (step) => stopKind(kindOf(home, step, builderEnvironment(home)), purge));
}

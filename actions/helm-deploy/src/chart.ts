import { access } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { ActionError } from "../../shared/src/action-runtime/error.ts";
import { registryScheme } from "../../shared/src/oci/registry.ts";

export interface Chart {
  /** What Helm is given: a folder or an oci:// address. */
  readonly location: string;
  /** Host of the registry, for an oci:// chart. */
  readonly registry: string | undefined;
  readonly plainHttp: boolean;
}

/**
 * Where a chart is. `model-server` is the one that comes with the actions: it lies in their repository, in a folder above the
 * program that runs.
 *
 * @throws ActionError `CHART_NOT_FOUND`
 */
export async function locateChart(chart: string, workspace: string, program: string): Promise<Chart> {
  if (chart.startsWith("oci://")) {
    const registry = chart.slice("oci://".length).split("/", 1)[0] ?? "";
    return { location: chart, registry, plainHttp: registryScheme(registry) === "http" };
  }
  const folders =
    chart === "model-server"
      ? above(dirname(resolve(program))).map((folder) => join(folder, "charts", "model-server"))
      : [resolve(workspace, chart)];
  for (const folder of folders)
    if (await exists(join(folder, "Chart.yaml"))) return { location: folder, registry: undefined, plainHttp: false };
  throw new ActionError("CHART_NOT_FOUND", {
    message: `the chart '${chart}' has no Chart.yaml${chart === "model-server" ? "" : ` at ${resolve(workspace, chart)}`}`,
    remedy:
      chart === "model-server"
        ? "use the action from its whole repository, which holds charts/model-server"
        : "check the path in `chart` and that the repository is checked out; write a registry's chart as oci://…",
  });
}

/** The folder and four above it: the bundle lies in dist/helm-deploy, the source in actions/helm-deploy/src. */
function above(folder: string): string[] {
  return [folder, ...Array.from({ length: 4 }, (_, index) => resolve(folder, ...Array(index + 1).fill("..")))];
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

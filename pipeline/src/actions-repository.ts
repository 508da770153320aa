import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeRendered } from "../../tooling/src/render/files.ts";
import { actOmissions } from "../../tooling/src/render/render.ts";

/** Under which name and ref the example's workflow calls this library. */
export const libraryName = "mlops-actions/mlops-actions";
export const libraryRef = "v1";

/**
 * What a runner would fetch of this library: the actions' contracts, the bundles, the chart, and the workflows in the form
 * that the lab's runner reads.
 */
export async function makeActionsRepository(root: string, folder: string): Promise<string> {
  rmSync(folder, { recursive: true, force: true });
  const workflows = join(folder, ".github", "workflows");
  mkdirSync(workflows, { recursive: true });
  await writeRendered({ form: "pinned", repository: libraryName, ref: libraryRef, omit: actOmissions }, workflows);
  for (const name of readdirSync(join(root, "actions"))) {
    const contract = join(root, "actions", name, "action.yml");
    if (existsSync(contract)) cpSync(contract, join(folder, "actions", name, "action.yml"));
  }
  cpSync(join(root, "dist"), join(folder, "dist"), { recursive: true });
  cpSync(join(root, "charts"), join(folder, "charts"), { recursive: true });
  return folder;
}

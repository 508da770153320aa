import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { buildFolder } from "../build/compile.ts";
import { renderWorkflow } from "../render/render.ts";
import { inRepository, root } from "../repository/repository.ts";
import { ToolFailure, tool } from "../repository/tool.ts";
import type { Check } from "./check.ts";
import { readText } from "./sources.ts";
import { goProgram } from "./tools.ts";
import { listWorkflows } from "./workflows.ts";

/** Keys that GitHub knows and actionlint 1.7.12 does not; GitHub's own parser checks them. */
const unknown = ["concurrency.queue", "jobs.*.concurrency.queue", "jobs.*.environment.deployment"];

/**
 * Writes the workflows into a project of their own, beside the actions, with `uses: $/…` as `./…`: so actionlint compares
 * what they pass to the actions, and what they read from them, with each `action.yml`.
 */
async function writeProject(folder: string): Promise<string[]> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, ".git"), { recursive: true }); // what makes a folder a project for actionlint
  for (const name of ["actions", "dist"]) await symlink(inRepository(name), join(folder, name));
  const paths = await listWorkflows();
  for (const path of paths) {
    await mkdir(join(folder, path, ".."), { recursive: true });
    const text = renderWorkflow(await readText(path), { form: "local", source: path, omit: unknown });
    await writeFile(join(folder, path), text);
  }
  return paths.map((path) => join(folder, path));
}

/** actionlint has nothing against any workflow. */
export const actionlintCheck: Check = {
  name: "actionlint",
  run: async ({ progress, signal }) => {
    const program = await goProgram("actionlint", progress);
    const project = join(buildFolder, "actionlint");
    const files = await writeProject(project);
    try {
      await tool(program, ["-no-color", "-oneline", "-shellcheck=", "-pyflakes=", ...files], signal);
      return [];
    } catch (error) {
      if (!(error instanceof ToolFailure)) throw error;
      return error.message
        .replaceAll(`${relative(root, project)}/`, "")
        .replaceAll(`${project}/`, "")
        .split("\n");
    }
  },
};

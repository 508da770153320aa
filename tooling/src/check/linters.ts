import { listActions } from "../repository/repository.ts";
import { tool } from "../repository/tool.ts";
import type { Check } from "./check.ts";
import { zizmorProgram } from "./tools.ts";
import { listWorkflows } from "./workflows.ts";

const types: Check = {
  name: "types",
  run: async ({ signal }) => {
    await tool("tsc", ["-p", "tsconfig.json", "--pretty", "false"], signal);
    return [];
  },
};

const lint: Check = {
  name: "lint",
  run: async ({ signal }) => {
    await tool("biome", ["ci", "--colors=off", "--error-on-warnings"], signal);
    return [];
  },
};

const zizmor: Check = {
  name: "zizmor",
  run: async ({ progress, signal }) => {
    const program = await zizmorProgram(progress);
    const files = [...(await listWorkflows()), ...listActions().map((action) => `actions/${action}/action.yml`)];
    const config = ["--config", ".github/zizmor.yml"];
    await tool(program, ["--offline", "--no-progress", "--color=never", "--quiet", ...config, ...files], signal);
    return [];
  },
};

/** Other people's linters have nothing to say. */
export const linterChecks = { types, lint, zizmor };

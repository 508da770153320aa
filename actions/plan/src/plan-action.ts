import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Action } from "../../shared/src/action-runtime/action.ts";
import { ActionError } from "../../shared/src/action-runtime/error.ts";
import { readDescriptor } from "../../shared/src/descriptor/read.ts";
import { inputs } from "./inputs.ts";
import { makePlan } from "./plan.ts";
import { reportPlan } from "./report.ts";

/** Reads the descriptor and resolves it into the values that the workflow's jobs are given. */
export const plan: Action<typeof inputs, { plan: string; skipped: string }> = {
  name: "plan",
  inputs,
  async run(given, { environment, log }) {
    const workspace = environment.GITHUB_WORKSPACE ?? ".";
    const text = await readFile(resolve(workspace, given.descriptor), "utf8").catch((cause: unknown) => {
      throw new ActionError("DESCRIPTOR_NOT_FOUND", {
        message: `the descriptor '${given.descriptor}' cannot be read in the checked-out repository`,
        remedy: "add model-pipeline.yaml at the top of the repository, or name its path with `descriptor`",
        cause,
      });
    });
    const made = makePlan(readDescriptor(text, given.descriptor), given);
    log.line(JSON.stringify(made, undefined, 2));
    const skipped = made.stages.filter(({ runs }) => !runs);
    return {
      verdict: "pass",
      reason: `the descriptor of ${made.name} has ${made.stages.length - skipped.length} of ${made.stages.length} stages`,
      outputs: { plan: JSON.stringify(made), skipped: JSON.stringify(skipped.map(({ stage }) => stage)) },
      summary: reportPlan(made),
    };
  },
};

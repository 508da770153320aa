import { type ActionFile, readActionFile } from "../contract/action-file.ts";
import { compareInputs } from "../contract/inputs.ts";
import { loadAction } from "../contract/load.ts";
import { compareOutputs } from "../contract/outputs.ts";
import { listActions } from "../repository/repository.ts";
import { explainFailure } from "../repository/tool.ts";
import type { Check } from "./check.ts";

const inputsInStep: Check = {
  name: "action.yml and inputs.ts in step",
  run: async () => {
    const compared = listActions().map(async (action) => {
      try {
        const problems = compareInputs((await readActionFile(action)).inputs, (await loadAction(action)).inputs);
        return problems.map((problem) => `${action}: ${problem}`);
      } catch (error) {
        return [`${action}: ${explainFailure(error)}`];
      }
    });
    return (await Promise.all(compared)).flat();
  },
};

const outputsInStep: Check = {
  name: "action.yml and outputs in step",
  run: async () => {
    const contracts = new Map<string, ActionFile>();
    for (const action of listActions()) contracts.set(action, await readActionFile(action));
    return compareOutputs(contracts);
  },
};

/** `action.yml` says what the code does. */
export const contractChecks: readonly Check[] = [inputsInStep, outputsInStep];

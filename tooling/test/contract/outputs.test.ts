import { describe, expect, it } from "vitest";
import { type ActionFile, readActionFile } from "../../src/contract/action-file.ts";
import { compareOutputs } from "../../src/contract/outputs.ts";

/** The contract of the action `plan`, with other outputs. */
async function planWith(change: (outputs: ActionFile["outputs"]) => ActionFile["outputs"]) {
  const contract = await readActionFile("plan");
  return new Map([["plan", { ...contract, outputs: change(contract.outputs) }]]);
}

describe("compareOutputs", { timeout: 60_000 }, () => {
  it("finds an output that the action's type names and action.yml does not", async () => {
    const contracts = await planWith(({ plan: _, ...others }) => others);
    expect(await compareOutputs(contracts)).toEqual([
      "plan: the action sets 'plan', which action.yml does not declare",
    ]);
  });

  it("finds an output that nothing sets, and one that every action has and this one lacks", async () => {
    const contracts = await planWith(({ reason: _, ...others }) => ({
      ...others,
      "plan-b": { description: "Another." },
    }));
    expect(await compareOutputs(contracts)).toEqual([
      "plan: action.yml lacks the output 'reason', which every action has",
      "plan: action.yml declares 'plan-b', which the action's outputs do not name",
    ]);
  });
});

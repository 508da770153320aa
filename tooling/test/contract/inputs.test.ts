import { describe, expect, it } from "vitest";
import {
  choice,
  duration,
  flag,
  lines,
  number,
  secret,
  text,
} from "../../../actions/shared/src/action-runtime/inputs.ts";
import { compareInputs } from "../../src/contract/inputs.ts";

const declared = (given: { required?: boolean; default?: string }) => ({
  x: { description: "An input.", required: false, ...given },
});

describe("compareInputs", () => {
  it.each([
    ["a required text", { required: true }, text()],
    ["a text that may be absent", {}, text().optional()],
    ["an empty default, which is none", { default: "" }, text().optional()],
    ["a default that only action.yml knows", { default: "model.yaml" }, text()],
    ["a flag with the same default in both", { default: "true" }, flag(true)],
    ["a duration with the same default in another unit", { default: "1m" }, duration("60s")],
    ["a number with the same default in both", { default: "5" }, number({ min: 1, max: 10, fallback: 5 })],
    ["lines that may be absent", {}, lines()],
    ["a default that an empty text takes away", { default: "champion" }, text().optional()],
    ["a secret", {}, secret()],
  ])("has nothing against %s", (_, input, schema) => {
    expect(compareInputs(declared(input), { x: schema })).toEqual([]);
  });

  it.each([
    ["is required in action.yml", { required: true }, text().optional()],
    ["has no default in action.yml, but inputs.ts refuses an absent value", {}, text()],
    ["is required and has a default", { required: true, default: "a" }, text()],
    ["has the default 'maybe', which inputs.ts refuses", { default: "maybe" }, flag(true)],
    ["has the default 'false' in action.yml, but true in inputs.ts", { default: "false" }, flag(true)],
    ['has the default "low" in inputs.ts, but none in action.yml', {}, choice(["low", "high"], "low")],
    ["is a secret and has a default", { default: "hunter2" }, secret()],
  ])("finds an input that %s", (problem, input, schema) => {
    expect(compareInputs(declared(input), { x: schema }).join()).toContain(problem);
  });

  it("finds names that only one side has", () => {
    expect(compareInputs(declared({}), { y: text() })).toEqual([
      "input 'x' is in action.yml, not in inputs.ts",
      "input 'y' is in inputs.ts, not in action.yml",
    ]);
  });
});

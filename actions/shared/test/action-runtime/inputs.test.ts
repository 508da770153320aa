import { describe, expect, it } from "vitest";
import { ActionError } from "../../src/action-runtime/error.ts";
import { choice, duration, flag, lines, number, readInputs, secret, text } from "../../src/action-runtime/inputs.ts";

const failure = (work: () => unknown): ActionError => {
  try {
    work();
  } catch (error) {
    if (error instanceof ActionError) return error;
    throw error;
  }
  throw new Error("did not fail");
};

describe("readInputs", () => {
  it("reads each kind of input into its type", () => {
    const schemas = {
      name: text(),
      timeout: duration("5m"),
      push: flag(true),
      files: lines(),
      mode: choice(["a", "b"], "a"),
      rate: number({ min: 0, max: 10, fallback: 2 }),
    };
    const environment = {
      INPUT_NAME: " digits ",
      INPUT_TIMEOUT: "1.5s",
      INPUT_PUSH: "False",
      INPUT_FILES: "a\n\n b \r\n",
    };
    expect(readInputs(schemas, environment)).toEqual({
      name: "digits",
      timeout: 1_500,
      push: false,
      files: ["a", "b"],
      mode: "a",
      rate: 2,
    });
  });

  it("names every wrong input at once, with its value and what was expected", () => {
    const error = failure(() =>
      readInputs(
        { name: text(), timeout: duration("5m"), mode: choice(["a", "b"], "a"), rate: number({ min: 0, max: 10 }) },
        { INPUT_TIMEOUT: "soon", INPUT_MODE: "c", INPUT_RATE: "11" },
      ),
    );
    expect(error.code).toBe("INPUT_INVALID");
    expect(error.message.split("; ")).toEqual([
      "input 'name' is required and was not given",
      "input 'timeout' is 'soon': expected a duration such as 250ms, 30s or 5m, at most 120h",
      "input 'mode' is 'c': expected one of a, b",
      "input 'rate' is '11': expected a number from 0 to 10",
    ]);
  });

  it("never shows the value of a secret", () => {
    const schema = secret().refine((value) => value?.startsWith("ghp_") ?? true, "expected a token");
    const error = failure(() => readInputs({ token: schema }, { INPUT_TOKEN: "hunter2-secret" }));
    expect(error.message).not.toContain("hunter2-secret");
  });

  it.each(["121h", "600h", "9999999m"])("refuses %s, at which a timer would end at once", (given) => {
    expect(() => readInputs({ timeout: duration("5m") }, { INPUT_TIMEOUT: given })).toThrow(/at most 120h/);
  });

  it("keeps dashes in the variable's name and upper-cases it, as the runner does", () => {
    expect(readInputs({ "run-id": text() }, { "INPUT_RUN-ID": "r1" })).toEqual({ "run-id": "r1" });
  });
});

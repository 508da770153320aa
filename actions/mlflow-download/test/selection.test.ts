import { describe, expect, it } from "vitest";
import type { DownloadInputs } from "../src/inputs.ts";
import { selectModel } from "../src/selection.ts";

const select = (given: Partial<DownloadInputs>) =>
  selectModel({
    model: undefined,
    version: undefined,
    "run-id": undefined,
    artifact: "model",
    ...given,
  } as DownloadInputs);

describe("the model that is wanted", () => {
  it("is a version, or the artifact of a run", () => {
    expect(select({ model: "digits", version: "3" })).toEqual({ kind: "version", model: "digits", version: "3" });
    expect(select({ "run-id": "abc" })).toEqual({ kind: "run", runId: "abc", artifact: "model" });
  });

  it.each([
    [{}, "no model is named"],
    [{ model: "digits" }, "'version' is required beside 'model'"],
    [{ version: "3" }, "'model' is required beside 'version'"],
    [{ model: "digits", version: "3", "run-id": "abc" }, "'run-id' was given beside"],
  ])("is not named by %j", (given, message) => {
    expect(() => select(given)).toThrow(message);
  });
});

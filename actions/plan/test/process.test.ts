import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runAction, runnerFolders } from "../../shared/test/action-process.ts";

const good = "apiVersion: mlops-actions/v1\nname: digits\nimage:\n  repository: digits\n";

/** Runs the action on a descriptor of this text; none is written where it is undefined. */
async function plan(text: string | undefined, inputs: Readonly<Record<string, string>> = {}) {
  const { workspace, environment } = runnerFolders();
  if (text !== undefined) writeFileSync(join(workspace, "model-pipeline.yaml"), text);
  const given = { descriptor: "model-pipeline.yaml", registry: "ghcr.io/acme", ...inputs };
  return runAction("plan", given, environment);
}

describe("the action", () => {
  it("gives the plan of a good descriptor to the workflow, and shows it to people", async () => {
    const { outputs, summary, exitCode } = await plan(good);
    expect(outputs).toMatchObject({
      verdict: "pass",
      reason: "the descriptor of digits has 1 of 6 stages",
      skipped: '["train","register","deployStaging","test","deployProduction"]',
    });
    expect(JSON.parse(outputs.plan ?? "")).toMatchObject({
      name: "digits",
      run: { build: true, train: false },
      image: { repository: "ghcr.io/acme/digits", dockerfile: "Dockerfile" },
    });
    expect(summary).toContain("ghcr.io/acme/digits");
    expect(summary).toContain("skipped: the descriptor has no 'train'");
    expect(exitCode).toBe(0);
  });

  it.each([
    [
      "an unknown key",
      `${good}  scann: {}\n`,
      {},
      "DESCRIPTOR_INVALID",
      "model-pipeline.yaml:5:3: image: unknown key 'scann'; did you mean 'scan'?",
    ],
    ["what is not YAML", "name: [", {}, "DESCRIPTOR_INVALID", "model-pipeline.yaml:1:8: not valid YAML"],
    ["an empty file", "", {}, "DESCRIPTOR_INVALID", "name: is required"],
    ["no file", undefined, {}, "DESCRIPTOR_NOT_FOUND", "'model-pipeline.yaml' cannot be read"],
    ["no registry", good, { registry: "" }, "PLAN_INCOMPLETE", "names no registry, and none was given"],
    ["no MLflow server", `${good}mlflow: {}\n`, {}, "PLAN_INCOMPLETE", "no address of an MLflow server"],
    [
      "a registry that is none",
      good,
      { registry: "https://ghcr.io/acme" },
      "IMAGE_NAME_INVALID",
      "https://ghcr.io/acme/digits",
    ],
    ["a descriptor outside", good, { descriptor: "../../etc/passwd" }, "INPUT_INVALID", "expected a path inside"],
    ["no descriptor named", good, { descriptor: "" }, "INPUT_INVALID", "input 'descriptor' is required"],
  ])("ends with one clear error: %s", async (_, text, inputs, code, reason) => {
    const { outputs, exitCode, summary, log } = await plan(text, inputs);
    expect(outputs).toMatchObject({ verdict: "fail", code, reason: expect.stringContaining(reason) });
    expect(outputs.remedy).not.toBe("");
    expect(outputs.plan).toBeUndefined();
    expect(exitCode).toBe(1);
    expect(summary).toContain("What to do:");
    expect(log.match(/::error /g)).toHaveLength(1);
  });

  it("does not let a descriptor speak to the runner or the summary", async () => {
    const hostile = `${good}"::add-mask::x <img src=x> @everyone": 1\n"\\n::set-output name=x::y": 1\n`;
    const { log, summary, outputs } = await plan(hostile);
    expect(outputs.code).toBe("DESCRIPTOR_INVALID");
    expect(log).not.toMatch(/^\s*::(add-mask|set-output)/m);
    expect(summary).not.toContain("<img");
    expect(summary).not.toContain("@everyone");
  });
});

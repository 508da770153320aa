import { describe, expect, it } from "vitest";
import type { Conclusion, RunnerEvent } from "../../lab/src/runner/workflow-run.ts";
import { operations } from "../src/stages.ts";
import { StageTracker } from "../src/track.ts";

function follow(events: readonly RunnerEvent[]) {
  const told: string[] = [];
  const tracker = new StageTracker(operations.push, {
    started: (name) => told.push(`started ${name}`),
    ended: ({ name, verdict }) => told.push(`${name} ${verdict}`),
  });
  for (const event of events) tracker.handle(event);
  return { tracker, told, stages: Object.fromEntries(tracker.stages().map((stage) => [stage.name, stage])) };
}

/** The events of one step as the runner sends them: its outputs come after its end. */
function step(
  jobId: string,
  id: string,
  outputs: Record<string, string>,
  conclusion: Conclusion = "success",
): RunnerEvent[] {
  const job = { id: jobId, name: `pipeline/${jobId}` };
  const place = { job, step: { id, name: id } };
  return [
    { type: "step-started", ...place },
    { type: "step-ended", ...place, conclusion, seconds: 2 },
    ...Object.entries(outputs).map(([name, value]): RunnerEvent => ({ type: "output", ...place, name, value })),
    { type: "job-ended", job, conclusion: conclusion === "success" ? "success" : "failure" },
  ];
}

const plan = (left: readonly string[] = []) =>
  step("plan", "plan", {
    verdict: "pass",
    reason: "planned",
    plan: JSON.stringify({ stages: left.map((stage) => ({ stage, runs: false, reason: `no '${stage}'` })) }),
  });

describe("StageTracker", () => {
  it("gives each stage its own verdict, reason and time, though outputs follow the step's end", () => {
    const { stages, told } = follow([
      ...plan(),
      ...step("train", "train", { verdict: "pass", reason: "accuracy 0.98" }),
    ]);
    expect(stages.train).toEqual({ name: "train", verdict: "pass", seconds: 2, reason: "accuracy 0.98" });
    expect(told).toEqual(["started plan", "plan pass", "started train", "train pass"]);
  });

  it("says which stage stopped the pipeline, for those that were not reached", () => {
    const { stages } = follow([
      ...plan(),
      ...step("build", "build-scan", { verdict: "fail", reason: "CVE" }, "failure"),
    ]);
    expect(stages["build and scan"]).toMatchObject({ verdict: "fail", reason: "CVE" });
    expect(stages["deploy production"]).toMatchObject({
      verdict: "not reached",
      reason: "build and scan stopped the pipeline",
    });
  });

  it("says why the descriptor leaves a stage out", () => {
    expect(follow(plan(["train", "test"])).stages.train).toMatchObject({ verdict: "skipped", reason: "no 'train'" });
  });

  it("never takes a step that failed for a pass, whatever it said", () => {
    const { stages } = follow(step("train", "train", { verdict: "pass" }, "failure"));
    expect(stages.train?.verdict).toBe("fail");
  });

  it("keeps inconclusive apart from failed, and takes a cancelled step for inconclusive", () => {
    expect(follow(step("train", "train", { verdict: "inconclusive" }, "failure")).stages.train?.verdict).toBe(
      "inconclusive",
    );
    expect(follow(step("train", "train", {}, "cancelled")).stages.train?.verdict).toBe("inconclusive");
  });

  it("says what a cancelled run was doing, and keeps a remedy", () => {
    const job = { id: "train", name: "pipeline/train" };
    const started: RunnerEvent = { type: "step-started", job, step: { id: "train", name: "train" } };
    const { stages } = follow([...plan(), started]);
    expect(stages.train).toMatchObject({ verdict: "inconclusive", reason: "it was cancelled while it ran" });
    expect(stages.register).toMatchObject({ verdict: "not reached", reason: "train stopped the pipeline" });
    const { tracker } = follow(step("build", "build-scan", { verdict: "fail", remedy: "update it" }, "failure"));
    expect(tracker.remedy()).toBe("update it");
  });

  it("does not take a step without a verdict for a pass", () => {
    expect(follow(step("train", "train", {})).stages.train?.verdict).toBe("inconclusive");
  });

  it("shows the runner's own error at the stage that it kept from running", () => {
    const job = { id: "train", name: "pipeline/train" };
    const { stages } = follow([...plan(), { type: "error", job, message: "no action.yml\nmore" }]);
    expect(stages.train).toMatchObject({
      verdict: "inconclusive",
      reason: "the runner could not run it: no action.yml",
    });
    expect(stages.register).toMatchObject({ verdict: "not reached", reason: "train stopped the pipeline" });
  });
});

import { expect, test } from "vitest";
import { RunRecord } from "../../src/runner/run-record.ts";

const job = { id: "build", name: "pipeline/build" };
const step = { id: "scan", name: "scan" };

function record() {
  let now = 0;
  return {
    run: new RunRecord(() => now),
    pass: (seconds: number) => {
      now += seconds * 1000;
    },
  };
}

test("a job takes the time from its first to its last event", () => {
  const { run, pass } = record();
  pass(5);
  run.add({ type: "job-started", job });
  pass(7);
  run.add({ type: "job-ended", job, conclusion: "success" });
  pass(3);
  expect(run.result(0, undefined)).toMatchObject({ conclusion: "success", seconds: 15, jobs: [{ seconds: 7 }] });
});

test("the runner's own failure counts although no job failed", () => {
  const { run } = record();
  run.add({ type: "job-ended", job, conclusion: "success" });
  expect(run.result(1, "could not fetch")).toMatchObject({ conclusion: "failure", error: "could not fetch" });
});

test("a failed job fails the run whatever the runner's exit code says", () => {
  const { run } = record();
  run.add({ type: "job-ended", job, conclusion: "failure" });
  expect(run.result(0, undefined).conclusion).toBe("failure");
});

test("a job that never ended has failed, or was cancelled", () => {
  const failed = record().run;
  failed.add({ type: "step-started", job, step });
  expect(failed.result(1, undefined).jobs[0]).toMatchObject({
    conclusion: "failure",
    steps: [{ conclusion: "failure" }],
  });
  const stopped = record().run;
  stopped.add({ type: "step-started", job, step });
  stopped.cancel();
  stopped.add({ type: "step-ended", job, step, conclusion: "failure", seconds: 1 });
  expect(stopped.result(1, undefined)).toMatchObject({
    conclusion: "cancelled",
    jobs: [{ conclusion: "cancelled", steps: [{ conclusion: "cancelled" }] }],
  });
});

test("outputs and summaries that come after the step's end are still its own", () => {
  const { run } = record();
  run.add({ type: "step-ended", job, step, conclusion: "success", seconds: 2 });
  run.add({ type: "output", job, step, name: "digest", value: "sha256:1" });
  run.add({ type: "summary", job, step, markdown: "# One\n" });
  run.add({ type: "job-ended", job, conclusion: "success" });
  const [done] = run.result(0, undefined).jobs;
  expect(done).toMatchObject({
    outputs: { digest: "sha256:1" },
    steps: [{ summary: "# One\n", seconds: 2, outputs: { digest: "sha256:1" } }],
  });
});

test("two jobs of the same name, one after the other, are two", () => {
  const { run } = record();
  run.add({ type: "job-ended", job, conclusion: "success" });
  run.add({ type: "job-ended", job, conclusion: "skipped" });
  expect(run.result(0, undefined).jobs.map(({ conclusion }) => conclusion)).toEqual(["success", "skipped"]);
});

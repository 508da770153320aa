import { expect, test } from "vitest";
import { readActLine } from "../../src/runner/act-log.ts";
import { Redaction } from "../../src/runner/redaction.ts";

const inJob = { job: "inner/work  ", jobID: "work", level: "info" };
const inStep = { ...inJob, stage: "Main", step: "build\nsecond line", stepID: ["build"] };
const job = { id: "work", name: "inner/work" };
const step = { id: "build", name: "build" };

const read = (record: object, redaction = new Redaction()) => readActLine(JSON.stringify(record), redaction);

test.each([
  ["a job begins", { ...inJob, stepid: ["--setup-job"], msg: "⭐ Run Set up job" }, { type: "job-started", job }],
  [
    "a job ends",
    { ...inJob, jobResult: "failure", msg: "🏁  Job failed" },
    { type: "job-ended", job, conclusion: "failure" },
  ],
  [
    "a job is skipped",
    { ...inJob, level: "debug", jobResult: "skipped" },
    { type: "job-ended", job, conclusion: "skipped" },
  ],
  ["a step begins", { ...inStep, msg: "⭐ Run Main build" }, { type: "step-started", job, step }],
  [
    "a step ends",
    { ...inStep, stepResult: "success", executionTime: 1_500_000_000, msg: "  ✅  Success - Main build" },
    { type: "step-ended", job, step, conclusion: "success", seconds: 1.5 },
  ],
  [
    "a step is skipped",
    { ...inStep, level: "debug", stepResult: "skipped", msg: "Skipping step" },
    { type: "step-ended", job, step, conclusion: "skipped", seconds: 0 },
  ],
  ["output", { ...inStep, raw_output: true, msg: "hello\r\n" }, { type: "log", job, step, line: "hello" }],
  [
    "an output value",
    { ...inStep, command: "set-output", name: "digest", arg: "sha256:1\n2" },
    { type: "output", job, step, name: "digest", value: "sha256:1\n2" },
  ],
  [
    "a summary",
    { ...inStep, command: "summary", content: "# Hi\n" },
    { type: "summary", job, step, markdown: "# Hi\n" },
  ],
  [
    "an annotation",
    { ...inStep, level: "error", command: "error", arg: "broken" },
    { type: "annotation", job, step, level: "error", message: "broken" },
  ],
  ["a group", { ...inStep, command: "group", arg: "details" }, { type: "group", job, step, title: "details" }],
  ["the end of a group", { ...inStep, command: "endgroup", arg: "" }, { type: "group", job, step, title: undefined }],
  ["a reason", { ...inStep, level: "error", msg: "exit status 4" }, { type: "error", job, message: "exit status 4" }],
  [
    "output after the main part",
    { ...inStep, stage: "Post", raw_output: true, msg: "bye\n" },
    { type: "log", job, step: { id: "post:build", name: "Post build" }, line: "bye" },
  ],
])("%s", (_, record, event) => {
  expect(read(record)).toEqual([event]);
});

test.each([
  ["what is not JSON", "Error: Job 'x' failed"],
  ["what is cut off", '{"job": "a'],
  ["what belongs to no job", '{"level":"debug","msg":"Plan Stages"}'],
  ["act's own remarks", JSON.stringify({ ...inStep, level: "debug", msg: "evaluating expression ''" })],
  ["a workflow command that names no output yet", JSON.stringify({ ...inStep, command: "set-output", arg: "1" })],
  ["a step of a composite action", JSON.stringify({ ...inStep, stepID: ["build", "0"], stepResult: "success" })],
  ["a skipped part after the main one", JSON.stringify({ ...inStep, stage: "Post", stepResult: "skipped" })],
])("%s is no event", (_, line) => {
  expect(readActLine(line, new Redaction())).toEqual([]);
});

test("the log of a step in a composite action belongs to the step that uses it", () => {
  expect(read({ ...inStep, stepID: ["build", "0"], raw_output: true, msg: "inside\n" })).toEqual([
    { type: "log", job, step, line: "inside" },
  ]);
});

test("secrets are hidden in output values, summaries, names and lines, masks from then on", () => {
  const redaction = new Redaction(["s3cr3t"]);
  read({ ...inStep, command: "add-mask", arg: "masked-value" }, redaction);
  const events = [
    { ...inStep, command: "set-output", name: "x", arg: "a s3cr3t" },
    { ...inStep, command: "summary", content: "masked-value" },
    { ...inStep, step: "echo s3cr3t", raw_output: true, msg: "s3cr3t and masked-value\n" },
  ].flatMap((record) => read(record, redaction));
  expect(JSON.stringify(events)).not.toMatch(/s3cr3t|masked-value/);
  expect(events).toHaveLength(3);
});

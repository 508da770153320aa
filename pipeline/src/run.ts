import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Lab } from "../../lab/src/lab.ts";
import type { Progress } from "../../lab/src/progress/progress.ts";
import { runWorkflow } from "../../lab/src/runner/run-workflow.ts";
import type { RunnerEvent } from "../../lab/src/runner/workflow-run.ts";
import { makeActionsRepository } from "./actions-repository.ts";
import { publishEndpoint } from "./endpoint.ts";
import { makeModelRepository } from "./model-repository.ts";
import type { PipelineOptions } from "./options.ts";
import type { PipelineReport } from "./report.ts";
import { workflowRequest } from "./request.ts";
import { ensureServerImage } from "./server-image.ts";
import { operations } from "./stages.ts";
import { StageTracker, type TrackerListener } from "./track.ts";

export interface PipelineRun {
  readonly lab: Lab;
  readonly options: PipelineOptions;
  /** The top folder of this repository. */
  readonly root: string;
  /** Where results go: `pipeline.json`, `pipeline.log`, `summaries/`. */
  readonly out: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly listener: TrackerListener & { line(text: string): void };
}

/** Runs the example repository's workflow in a lab that is up, and writes the report. */
export async function runPipeline(run: PipelineRun): Promise<PipelineReport> {
  const { lab, options, root, out, progress, signal, listener } = run;
  mkdirSync(out, { recursive: true });
  // A run that is killed must not leave the report of an earlier one, which would be taken for its own.
  for (const name of ["pipeline.json", "pipeline.log", "summaries"])
    rmSync(join(out, name), { recursive: true, force: true });
  await progress.step("inference server image", (step) => ensureServerImage(join(root, "serving"), lab, step));
  const example = join(root, "examples", "model-repository");
  const repository = makeModelRepository(example, join(out, "model-repository"), options.breakage);
  const actions = await makeActionsRepository(root, join(out, "actions-repository"));
  const request = workflowRequest(lab, repository, options, { actions, runnerState: join(out, "runner") });

  const log = join(out, "pipeline.log");
  const tracker = new StageTracker(operations[options.operation], listener);
  const onEvent = (event: RunnerEvent) => {
    tracker.handle(event);
    const text = logLine(event);
    if (text === undefined) return;
    appendFileSync(log, `${text}\n`);
    listener.line(text);
  };
  await runWorkflow({ ...request, onEvent, signal });

  const publish = async (namespace: string) =>
    signal.aborted ? "" : ((await publishEndpoint(namespace, lab.environment, signal)) ?? "");
  const endpoints = { staging: await publish("digits-staging"), production: await publish("digits") };
  const report: PipelineReport = {
    stages: tracker.stages(),
    image: firstOf(tracker, "image", ["build and scan", "verify evidence", "roll back production"]),
    modelVersion:
      tracker.output("register", "version") || firstOf(tracker, "model-version", ["verify evidence", "find model"]),
    endpoints,
    mlflow: lab.addresses.mlflow,
    remedy: tracker.remedy(),
  };
  writeReport(out, report, tracker);
  return report;
}

function firstOf(tracker: StageTracker, output: string, stages: readonly string[]): string {
  return stages.map((stage) => tracker.output(stage, output)).find((value) => value !== "") ?? "";
}

function writeReport(out: string, report: PipelineReport, tracker: StageTracker): void {
  writeFileSync(join(out, "pipeline.json"), `${JSON.stringify(report, undefined, 2)}\n`);
  const folder = join(out, "summaries");
  mkdirSync(folder, { recursive: true });
  for (const [index, { stage, markdown }] of tracker.summaries().entries())
    writeFileSync(join(folder, `${String(index + 1).padStart(2, "0")}-${stage.replaceAll(" ", "-")}.md`), markdown);
}

function logLine(event: RunnerEvent): string | undefined {
  const place = "step" in event ? `${event.job.id}/${event.step.id}` : event.job.id;
  switch (event.type) {
    case "log":
      return `[${place}] ${event.line}`;
    case "step-started":
      return `[${place}] started: ${event.step.name}`;
    case "step-ended":
      return `[${place}] ${event.conclusion} after ${event.seconds.toFixed(1)} s`;
    case "annotation":
      return `[${place}] ${event.level}: ${event.message}`;
    case "error":
      return `[${place}] runner: ${event.message}`;
    default:
      return undefined;
  }
}

import { join, resolve } from "node:path";
import { openLab, stepLogs } from "../../lab/src/lab.ts";
import { runAsRoot } from "../../lab/src/privileges.ts";
import { cancelOnSignals } from "../../lab/src/progress/cancellation.ts";
import { explain, isCancelled, LabError } from "../../lab/src/progress/error.ts";
import { Progress } from "../../lab/src/progress/progress.ts";
import { askForDigit } from "./endpoint.ts";
import { help, type PipelineOptions, readOptions } from "./options.ts";
import { allPassed, closingLines, marks, stageTable } from "./report.ts";
import { runPipeline } from "./run.ts";

const root = resolve(import.meta.dirname, "../..");

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === "help") {
    process.stdout.write(help);
    return 0;
  }
  runAsRoot();
  return show(options);
}

/** Brings the lab up, runs the workflow, and shows each stage as it happens and all of them at the end. */
async function show(options: PipelineOptions): Promise<number> {
  const signal = cancelOnSignals();
  const progress = new Progress({ logs: stepLogs(options.lab), signal });
  const { cluster, lab: name } = options;
  const lab = await openLab({ name, ...(cluster && { cluster }) }, progress);
  const say = (text: string) => process.stdout.write(`${text}\n`);
  say("");
  const report = await runPipeline({
    lab,
    options,
    root,
    out: join(root, "lab", "out"),
    progress,
    signal,
    listener: {
      started: (stage) => say(`▶ ${stage}`),
      ended: (stage) =>
        say(`${marks[stage.verdict]} ${stage.name}: ${stage.verdict}, ${stage.seconds.toFixed(1)} s: ${stage.reason}`),
      line: (text) => options.verbose && say(`    ${text}`),
    },
  });
  say(`\n${stageTable(report.stages, process.stdout.columns ?? 120)}\n`);
  if (signal.aborted) {
    say("cancelled; the lab is still up, and the next run starts over and mends what this one left");
    return 130;
  }
  const { production } = report.endpoints;
  say(closingLines(report, production ? await askForDigit(production, signal) : undefined));
  return allPassed(report.stages) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  const isUsage =
    error instanceof LabError && ["USAGE", "LAB_NAME_INVALID", "LAB_CLUSTER_DIFFERS"].includes(error.code);
  process.exitCode = isCancelled(error) ? 130 : isUsage ? 2 : 1;
}

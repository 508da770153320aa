import { join, resolve } from "node:path";
import { openLab, stepLogs } from "../../lab/src/lab.ts";
import { runAsRoot } from "../../lab/src/privileges.ts";
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
  const cancellation = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(name, () => cancellation.abort());
  const { signal } = cancellation;
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
  const { production } = report.endpoints;
  const answer = production ? await askForDigit(production, signal) : undefined;
  say(`\n${stageTable(report.stages, process.stdout.columns ?? 120)}\n`);
  say(closingLines(report, answer));
  return allPassed(report.stages) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = isCancelled(error) ? 130 : error instanceof LabError && error.code === "USAGE" ? 2 : 1;
}

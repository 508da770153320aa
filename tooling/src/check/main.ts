import { join } from "node:path";
import { cancelOnSignals } from "../../../lab/src/progress/cancellation.ts";
import { Progress } from "../../../lab/src/progress/progress.ts";
import { buildFolder } from "../build/compile.ts";
import { eachOf, explainFailure } from "../repository/tool.ts";
import { actionlintCheck } from "./actionlint.ts";
import { architectureCheck } from "./architecture.ts";
import { chartChecks } from "./charts.ts";
import type { Check, CheckContext } from "./check.ts";
import { contractChecks } from "./contracts.ts";
import { freshChecks } from "./fresh.ts";
import { linterChecks } from "./linters.ts";
import { placesCheck } from "./places.ts";
import { parserCheck } from "./workflows.ts";

const checks: readonly Check[] = [
  ...freshChecks,
  linterChecks.types,
  linterChecks.lint,
  architectureCheck,
  ...contractChecks,
  parserCheck,
  actionlintCheck,
  linterChecks.zizmor,
  ...chartChecks,
  placesCheck,
];

const help = `Checks everything that can be checked without running the product.

usage: npm run check [-- NAME…]     only the checks whose name holds one of these words

${checks.map(({ name }) => `  ${name}`).join("\n")}
`;

interface Result {
  readonly name: string;
  readonly seconds: number;
  readonly problems: readonly string[];
}

async function runCheck({ name, run }: Check, context: CheckContext): Promise<Result> {
  const started = performance.now();
  const problems = await run(context).catch((error: unknown) => [explainFailure(error)]);
  const result = { name, seconds: (performance.now() - started) / 1_000, problems };
  if (problems.length > 0) console.log(`\n✗ ${name}\n${problems.join("\n").replace(/^/gm, "  ")}\n`);
  return result;
}

function showTable(results: readonly Result[]): void {
  const width = Math.max(...results.map(({ name }) => name.length));
  for (const { name, seconds, problems } of results) {
    const state = problems.length === 0 ? "ok" : "FAILED";
    console.log(`${name.padEnd(width)}  ${`${seconds.toFixed(1)} s`.padStart(7)}  ${state}`);
  }
}

const words = process.argv.slice(2);
if (words.includes("--help") || words.includes("-h")) {
  process.stdout.write(help);
} else {
  const selected = checks.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
  if (selected.length === 0) {
    console.error(`error: no check's name holds ${words.join(" or ")}\n\n${help}`);
    process.exit(2);
  }
  const started = performance.now();
  const signal = cancelOnSignals();
  const progress = new Progress({ logs: join(buildFolder, "logs"), signal });
  const results = await eachOf(selected, 2, (check) => runCheck(check, { progress, signal }));
  showTable(results);
  const failed = results.filter(({ problems }) => problems.length > 0).length;
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(`${results.length - failed} checks passed, ${failed} failed, in ${seconds} s`);
  process.exitCode = failed > 0 ? 1 : 0;
}

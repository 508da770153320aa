import { explainFailure } from "../repository/tool.ts";
import { buildBundles } from "./bundles.ts";
import { generateChartReadme, generateReadmes, generateSchema, generateWorkflows, writeStale } from "./generated.ts";

const help = `Writes everything that is generated and committed: the actions' bundles in dist/, the workflows in .github/workflows/,
the JSON Schema of the descriptor in schema/, the tables of inputs and outputs in the actions' READMEs, and those of the values
in the chart's.

usage: npm run build
`;

/** Runs one step; what another one makes is still made when it fails. */
async function step(name: string, work: () => Promise<string[]>): Promise<void> {
  const started = performance.now();
  try {
    const changed = await work();
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    console.log(`${name}: ${changed.length === 0 ? "up to date" : `wrote ${changed.join(", ")}`} (${seconds} s)`);
  } catch (error) {
    console.error(`${name}: FAILED\n${explainFailure(error)}`);
    process.exitCode = 1;
  }
}

const [argument] = process.argv.slice(2);
if (argument !== undefined) {
  const asked = argument === "--help" || argument === "-h";
  console[asked ? "log" : "error"](asked ? help : `error: unknown argument ${argument}\n\n${help}`);
  process.exit(asked ? 0 : 2);
}
await step("workflows", async () => writeStale(await generateWorkflows()));
await step("schema", async () => writeStale(generateSchema()));
await step("contract tables", async () => writeStale(await generateReadmes()));
await step("chart values", async () => writeStale(await generateChartReadme()));
await step("bundles", buildBundles);

import { parseArgs } from "node:util";
import { actionsSuite } from "./actions.ts";
import type { Suite } from "./suite.ts";

const suites: Readonly<Record<string, Suite>> = { actions: actionsSuite };

const help = `Measures, and compares with the budgets.

usage: npm run bench -- SUITE [--runs N] [--json]

${Object.entries(suites)
  .map(([name, { about }]) => `  ${name}    ${about}`)
  .join("\n")}

  --runs N   how often each thing is measured
  --json     the figures as JSON
`;

function fail(message: string): never {
  console.error(`error: ${message}\n\n${help}`);
  process.exit(2);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { runs: { type: "string" }, json: { type: "boolean" }, help: { type: "boolean", short: "h" } },
    });
  } catch (error) {
    return fail((error as Error).message);
  }
}

const { values, positionals } = readArguments();
const [name, ...more] = positionals;
if (values.help) {
  process.stdout.write(help);
} else {
  const suite = name === undefined || more.length > 0 ? undefined : suites[name];
  if (!suite) fail(`expected one suite of ${Object.keys(suites).join(", ")}; got ${positionals.join(" ") || "none"}`);
  const runs = values.runs === undefined ? undefined : Number(values.runs);
  if (runs !== undefined && !(Number.isInteger(runs) && runs > 0))
    fail(`--runs is '${values.runs}'; expected a whole number`);
  try {
    const { text, data, good } = await suite.run(runs);
    console.log(values.json ? JSON.stringify(data, undefined, 2) : text);
    process.exitCode = good ? 0 : 1;
  } catch (error) {
    console.error(`error: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}

import { parseArgs } from "node:util";
import { explainFailure } from "../repository/tool.ts";
import { actionsSuite } from "./actions.ts";
import { servingSuite } from "./serving.ts";
import type { Suite } from "./suite.ts";

const suites: Readonly<Record<string, Suite>> = { actions: actionsSuite, serving: servingSuite };

function helpOf([name, { about, flags = {} }]: readonly [string, Suite]): string {
  const lines = Object.entries(flags).map(([flag, { help }]) => `${"".padEnd(14)}--${flag.padEnd(8)}${help}`);
  return [`  ${name.padEnd(10)}  ${about}`, ...lines].join("\n");
}

const help = `Measures, and compares with the budgets.

usage: npm run bench -- SUITE [--runs N] [--json]

${Object.entries(suites).map(helpOf).join("\n")}

  --runs N   how often each thing is measured
  --json     the figures as JSON
`;

function fail(message: string): never {
  console.error(`error: ${message}\n\n${help}`);
  process.exit(2);
}

/** The one suite that was asked for, with its arguments. */
function readArguments(args: readonly string[]) {
  const name = args.find((word) => Object.hasOwn(suites, word));
  const suite = name === undefined ? undefined : suites[name];
  const flags = Object.entries(suite?.flags ?? {}).map(([flag, { type }]) => [flag, { type }] as const);
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        runs: { type: "string" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
        ...Object.fromEntries(flags),
      },
    });
    const given: Readonly<Record<string, unknown>> = values;
    const more = flags.flatMap(([flag]) => {
      const value = given[flag];
      return value === undefined ? [] : value === true ? [`--${flag}`] : [`--${flag}`, String(value)];
    });
    return { runs: values.runs, json: values.json, help: values.help, suite, positionals, more };
  } catch (error) {
    return fail((error as Error).message);
  }
}

const { runs, json, help: wanted, suite, positionals, more } = readArguments(process.argv.slice(2));
if (wanted) {
  process.stdout.write(help);
} else {
  if (suite === undefined || positionals.length !== 1)
    fail(`expected one suite of ${Object.keys(suites).join(", ")}; got ${positionals.join(" ") || "none"}`);
  const rounds = runs === undefined ? undefined : Number(runs);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))
    fail(`--runs is '${runs}'; expected a whole number`);
  try {
    const { text, data, good } = await suite.run({ more, ...(rounds !== undefined && { runs: rounds }) });
    console.log(json ? JSON.stringify(data, undefined, 2) : text);
    process.exitCode = good ? 0 : 1;
  } catch (error) {
    console.error(`error: ${explainFailure(error).replace(/^error: /, "")}`);
    process.exitCode = 1;
  }
}

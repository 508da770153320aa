/**
 * Measures this repository's server against its peers and its limits. Started by `npm run bench -- serving`, which says
 * where the tools are. Progress goes to standard error, one JSON object to standard output: `text` for people, `data` for
 * machines, `good` when no goal was missed.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Bench, PACES, type Pace } from "./bench.ts";
import { describeMachine } from "./machine/cores.ts";
import { endAll, runToEnd } from "./machine/process.ts";
import { type Options, readOptions, type Tools } from "./options.ts";
import { type Finding, notMeasured, render } from "./report/finding.ts";
import { compute } from "./scenarios/compute.ts";
import { cycles } from "./scenarios/cycles.ts";
import { footprint } from "./scenarios/footprint.ts";
import { health } from "./scenarios/health.ts";
import { image } from "./scenarios/image.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { termination } from "./scenarios/termination.ts";
import { tinyGrpc, tinyRest } from "./scenarios/tiny.ts";
import { tinyLatency } from "./scenarios/tiny-latency.ts";
import { workers } from "./scenarios/workers.ts";
import { ours } from "./servers/ours.ts";
import { fastapi, kserve, mlserver } from "./servers/peers.ts";
import type { ServerKind } from "./servers/server.ts";
import { runtimeVersions } from "./versions.ts";

/** In this order, so that those on the same model follow each other and share its servers. */
const SCENARIOS: readonly Scenario[] = [
  tinyRest,
  tinyGrpc,
  tinyLatency,
  image,
  compute,
  footprint,
  health,
  termination,
  cycles,
  workers,
];

const METHOD = `Servers run on one core and the load on the others, one intra-op thread, one process each, the same model and one request
that is repeated; answers are checked before the load and during it. Figures are medians of the
rounds (lowest–highest); in a round everything is measured once, in turns, and ratios are taken within a round. Latencies of
open loops count from the moment a request was due.`;

const began = performance.now();

function say(text: string): void {
  const seconds = Math.floor((performance.now() - began) / 1000);
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  process.stderr.write(`${clock.padStart(5)}  ${text}\n`);
}

function serversOf(
  tools: Tools,
  options: Options,
  scratch: string,
): { kinds: ServerKind[]; absent: [string, string][] } {
  const kinds = [ours(join(scratch, "image"), options.image)];
  const absent: [string, string][] = [];
  for (const [name, make] of Object.entries({ fastapi, mlserver, kserve })) {
    const peer = tools.peers[name as keyof Tools["peers"]];
    if ("absent" in peer) absent.push([name, peer.absent]);
    else kinds.push(make(peer.python, peer.version));
  }
  return { kinds, absent };
}

async function measure(bench: Bench, scenarios: readonly Scenario[]): Promise<[string, Finding][]> {
  const findings: [string, Finding][] = [];
  for (const scenario of scenarios) {
    try {
      findings.push([scenario.name, await scenario.run(bench)]);
    } catch (error) {
      // One scenario that cannot be measured leaves the others standing.
      const reason = (error as Error).message.split("\n").slice(0, 3).join(" ");
      say(`${scenario.name}: ${(error as Error).message}`);
      findings.push([scenario.name, { judgements: [notMeasured(scenario.about, "", reason)], tables: [], data: {} }]);
    }
  }
  return findings;
}

function announce(scenarios: readonly Scenario[], pace: Pace): void {
  const seconds = scenarios.reduce((sum, scenario) => sum + scenario.seconds(pace), 10);
  say(
    `${scenarios.map(({ name }) => name).join(", ")}: about ${Math.ceil(seconds / 60)} min, ${pace.runs} rounds each`,
  );
}

async function main(): Promise<void> {
  const options = readOptions(
    process.argv.slice(2),
    SCENARIOS.map(({ name }) => name),
  );
  const tools = JSON.parse(readFileSync(options.tools, "utf8")) as Tools;
  const usual: Pace = options.quick ? PACES.quick : PACES.full;
  const pace = { ...usual, runs: options.runs ?? usual.runs };
  const scenarios = SCENARIOS.filter(({ name }) => options.only.length === 0 || options.only.includes(name));
  announce(scenarios, pace);
  const scratch = mkdtempSync(join(tmpdir(), "bench-serving-"));
  // Also when a signal ends this process.
  process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
  const { kinds, absent } = serversOf(tools, options, scratch);
  const models = join(scratch, "models");
  const bench = new Bench({ kinds, loadProgram: tools.load, models, scratch, pace, say });
  try {
    say("models: training and writing them");
    const program = join(import.meta.dirname, "models", "make_models.py");
    await runToEnd({ command: tools.modelsPython, args: [program, models] }, bench.cores.all);
    const versions = await runtimeVersions(tools, bench.cores.all);
    for (const [name, reason] of absent) bench.absent.set(name, reason);
    const findings = await measure(bench, scenarios);
    process.stdout.write(`${JSON.stringify(reportOf(bench, versions, findings))}\n`);
  } finally {
    await bench.close();
  }
}

function reportOf(bench: Bench, versions: Readonly<Record<string, string>>, findings: readonly [string, Finding][]) {
  const judgements = findings.flatMap(([, finding]) => finding.judgements);
  const machine = describeMachine();
  const absent = [...bench.absent].map(
    ([name, reason]) => `Absent: ${name}: ${reason.split("\n").slice(0, 4).join(" ")}`,
  );
  const runtimes = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const footer = `${METHOD}\n${machine}; ${bench.pace.runs} rounds. ONNX Runtime: ${runtimes.join("; ")}.`;
  const text = [render(findings.map(([, finding]) => finding)), ...absent, footer].join("\n");
  const servers = bench.kinds.map(({ title }) => title);
  return {
    text,
    data: {
      suite: "serving",
      machine,
      pace: bench.pace,
      servers,
      onnxruntime: versions,
      absent: Object.fromEntries(bench.absent),
      goals: judgements,
      scenarios: Object.fromEntries(findings.map(([name, { data }]) => [name, data])),
    },
    good: judgements.every(({ verdict }) => verdict === "pass"),
  };
}

process.on("exit", endAll);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));

try {
  await main();
} catch (error) {
  process.stderr.write(`error: ${(error as Error).message}\n`);
  process.exitCode = 1;
}

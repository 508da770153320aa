import { cpSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "../bench.ts";
import { failed, type LoadReport } from "../machine/load.ts";
import { type Judgement, notMeasured } from "../report/finding.ts";
import type { Sample } from "../samples.ts";
import { type RunningServer, verify } from "../servers/running.ts";
import type { Scenario } from "./scenario.ts";

const GOAL_MEMORY = "bounded: ≤ 1.25 × that after a tenth of them";
const GOAL_LOST = "0 lost";
const RATE = 200;

/** Resident bytes before, after a tenth of the cycles and at the end, with the load that went on meanwhile. */
interface Cycles {
  readonly before: number;
  readonly early: number;
  readonly after: number;
  readonly report: LoadReport;
}

/** The digits model, which is under load and reloaded in place, beside the compute-bound one, which comes and goes. */
function twoModels(bench: Bench): Sample {
  const [digits, compute] = [bench.sample("digits"), bench.sample("compute")];
  const repository = bench.folder("repository");
  for (const { repository: home, model } of [digits, compute])
    cpSync(join(home, model), join(repository, model), { recursive: true });
  return { ...digits, repository };
}

async function control(server: RunningServer, model: string, action: "load" | "unload"): Promise<void> {
  const path = `/v2/repository/models/${model}/${action}`;
  const response = await fetch(`http://${server.address.http}${path}`, { method: "POST", body: "{}" });
  const text = await response.text();
  if (!response.ok) throw new Error(`POST ${path}: HTTP ${response.status} ${text.slice(0, 160)}`);
}

async function cycle(server: RunningServer): Promise<void> {
  await control(server, "compute", "unload");
  await control(server, "compute", "load");
  await control(server, "digits", "load");
}

async function measure(bench: Bench): Promise<Cycles> {
  const sample = twoModels(bench);
  const server = await bench.startOurs(sample);
  try {
    const { target } = await verify(bench.generator, server, sample, "json");
    using load = bench.generator.start(target, { connections: 16, rate: RATE, seconds: 600, warmUp: 0 });
    await sleep(1000);
    const before = server.process.residentBytes();
    let early = before;
    for (let count = 1; count <= bench.pace.cycles; count++) {
      await cycle(server);
      if (count === Math.ceil(bench.pace.cycles / 10)) early = server.process.residentBytes();
    }
    await sleep(1000);
    const after = server.process.residentBytes();
    return { before, early, after, report: await load.finish() };
  } finally {
    await server.process.end();
  }
}

function judgements(count: number, { before, early, after, report }: Cycles): Judgement[] {
  const [start, tenth, end] = [before, early, after].map((bytes) => (bytes / 1e6).toFixed(0));
  const lost = failed(report);
  return [
    {
      what: `resident memory over ${count} load/unload cycles`,
      goal: GOAL_MEMORY,
      measured: `${start} MB before, ${tenth} MB after a tenth, ${end} MB at the end`,
      verdict: after <= early * 1.25 ? "pass" : "FAIL",
    },
    {
      what: `requests during ${count} load/unload cycles`,
      goal: GOAL_LOST,
      measured: `${lost} of ${report.requests} lost${lost > 0 ? `: ${Object.keys(report.errors).join("; ")}` : ""}`,
      verdict: lost === 0 ? "pass" : "FAIL",
    },
  ];
}

export const cycles: Scenario = {
  name: "cycles",
  about: "models loaded and unloaded again and again under load",
  seconds: (pace) => 5 + pace.cycles * 0.4,
  run: async (bench) => {
    await bench.dismiss();
    bench.say(`load and unload: ${bench.pace.cycles} cycles`);
    try {
      const found = await measure(bench);
      return { judgements: judgements(bench.pace.cycles, found), tables: [], data: found };
    } catch (error) {
      const reason = (error as Error).message;
      const what = `${bench.pace.cycles} load/unload cycles`;
      return { judgements: [notMeasured(what, `${GOAL_MEMORY}; ${GOAL_LOST}`, reason)], tables: [], data: { reason } };
    }
  },
};

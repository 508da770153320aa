import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "../bench.ts";
import type { LoadReport } from "../machine/load.ts";
import { failed } from "../machine/load.ts";
import { judge, notMeasured } from "../report/finding.ts";
import { type Summary, show, summarise } from "../report/statistics.ts";
import { verify } from "../servers/running.ts";
import { loadSeconds, type Scenario } from "./scenario.ts";

const WHAT = "health endpoint while a heavy model is saturated, p99";
const GOAL = "≤ 20 ms";
/** Far more often than a probe asks, so that a percentile rests on enough of them. */
const PROBES_A_SECOND = 100;
const CONNECTIONS = 16;

/** One server under load, asked for its health meanwhile. */
interface Watched {
  readonly probes: readonly LoadReport[];
  readonly loads: readonly LoadReport[];
}

export const health: Scenario = {
  name: "health",
  about: "the health endpoint while the compute-bound model is saturated",
  seconds: (pace) => 2 * pace.runs * (2 * loadSeconds(pace) + 2),
  run: async (bench) => {
    await bench.dismiss();
    const usual = await watch(bench, "as it is", {});
    const inline = await watch(bench, "inline", { EXECUTION: "inline" });
    const lost = lostOf(usual);
    return {
      judgements: [
        lost > 0
          ? notMeasured(WHAT, GOAL, `${lost} requests failed`)
          : judge(
              WHAT,
              { text: GOAL, holds: (value) => value <= 20 },
              p99Of(usual),
              (value) => `${show(value, 1)} ms (the model meanwhile: ${throughputOf(usual)}/s)`,
            ),
      ],
      tables: [
        {
          title: "Health while the compute-bound model is saturated",
          rows: [
            ["server", "p99 ms", "failed", "the model meanwhile, answers/s"],
            ...Object.entries({ "model-server": usual, "model-server --execution inline": inline }).map(
              ([label, watched]) => [label, show(p99Of(watched), 1), String(lostOf(watched)), throughputOf(watched)],
            ),
          ],
          notes: [],
        },
      ],
      data: { usual, inline },
    };
  },
};

async function watch(bench: Bench, how: string, environment: Readonly<Record<string, string>>): Promise<Watched> {
  const sample = bench.sample("compute");
  const server = await bench.startOurs(sample, environment);
  const probes: LoadReport[] = [];
  const loads: LoadReport[] = [];
  try {
    const { target } = await verify(bench.generator, server, sample, "json");
    const probe = bench.generator.get(server.address, "/v2/health/live");
    const seconds = bench.pace.seconds * 2;
    for (let round = 0; round < bench.pace.runs; round++) {
      bench.say(`health under load, ${how}: round ${round + 1} of ${bench.pace.runs}`);
      using load = bench.generator.start(target, { connections: CONNECTIONS, rate: 0, seconds: 600, warmUp: 0 });
      await sleep(500);
      probes.push(await bench.generator.run(probe, { connections: 4, rate: PROBES_A_SECOND, seconds, warmUp: 0.5 }));
      loads.push(await load.finish());
    }
  } finally {
    await server.process.end();
  }
  return { probes, loads };
}

const lostOf = ({ probes, loads }: Watched): number =>
  [...probes, ...loads].reduce((sum, report) => sum + failed(report), 0);

const p99Of = ({ probes }: Watched): Summary => summarise(probes.map(({ latency }) => latency.p99));

const throughputOf = ({ loads }: Watched): string => show(summarise(loads.map(({ throughput }) => throughput)), 1);

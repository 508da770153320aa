import { setTimeout as sleep } from "node:timers/promises";
import type { LoadReport } from "../machine/load.ts";
import { failed } from "../machine/load.ts";
import { judge, notMeasured } from "../report/finding.ts";
import { show, summarise } from "../report/statistics.ts";
import { verify } from "../servers/running.ts";
import { loadSeconds, type Scenario } from "./scenario.ts";

const WHAT = "health endpoint while a heavy model is saturated, p99";
const GOAL = "≤ 20 ms";
/** Far more often than a probe asks, so that a percentile rests on enough of them. */
const PROBES_A_SECOND = 100;
const CONNECTIONS = 16;

export const health: Scenario = {
  name: "health",
  about: "the health endpoint while the compute-bound model is saturated",
  seconds: (pace) => pace.runs * (2 * loadSeconds(pace) + 2),
  run: async (bench) => {
    await bench.dismiss();
    const sample = bench.sample("compute");
    const server = await bench.startOurs(sample);
    const probes: LoadReport[] = [];
    const loads: LoadReport[] = [];
    try {
      const { target } = await verify(bench.generator, server, sample, "json");
      const probe = bench.generator.get(server.address, "/v2/health/live");
      const seconds = bench.pace.seconds * 2;
      for (let round = 0; round < bench.pace.runs; round++) {
        bench.say(`health under load: round ${round + 1} of ${bench.pace.runs}`);
        using load = bench.generator.start(target, { connections: CONNECTIONS, rate: 0, seconds: 600, warmUp: 0 });
        await sleep(500);
        probes.push(await bench.generator.run(probe, { connections: 4, rate: PROBES_A_SECOND, seconds, warmUp: 0.5 }));
        loads.push(await load.finish());
      }
    } finally {
      server.process.kill();
      await server.process.ended;
    }
    const lost = [...probes, ...loads].reduce((sum, report) => sum + failed(report), 0);
    const p99 = summarise(probes.map(({ latency }) => latency.p99));
    const throughput = show(summarise(loads.map((load) => load.throughput)), 1);
    return {
      judgements: [
        lost > 0
          ? notMeasured(WHAT, GOAL, `${lost} requests failed`)
          : judge(
              WHAT,
              { text: GOAL, holds: (value) => value <= 20 },
              p99,
              (value) => `${show(value, 1)} ms (the model meanwhile: ${throughput}/s)`,
            ),
      ],
      tables: [],
      data: { probes, loads },
    };
  },
};

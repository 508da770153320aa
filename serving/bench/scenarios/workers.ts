import type { Bench } from "../bench.ts";
import { closedLoops, contest, type Entry, entryOf, heat, outcomeData, outcomeTable } from "../contest.ts";
import type { Finding } from "../report/finding.ts";
import type { SampleName } from "../samples.ts";
import { type RunningServer, startServer, verify } from "../servers/running.ts";
import { FLEET_SECONDS, loadSeconds, type Scenario } from "./scenario.ts";

const CONNECTIONS = [32];

/** Every server with one worker and with as many as there are cores, all on every core, beside the load. */
async function measure(bench: Bench, name: SampleName, title: string): Promise<Finding> {
  const sample = bench.sample(name);
  const running: RunningServer[] = [];
  const entries: Entry[] = [];
  const faults = new Map<string, string>();
  try {
    for (const kind of bench.kinds) {
      for (const workers of new Set([1, bench.cores.count])) {
        const label = `${kind.title}, workers: ${workers}`;
        bench.say(`${label}: starting on the model ${name}`);
        try {
          const server = await startServer(kind, { sample, cores: bench.cores.all, scratch: bench.scratch, workers });
          running.push(server);
          const { target } = await verify(bench.generator, server, sample, "json");
          entries.push(entryOf(bench, kind.id, label, target, server.process));
        } catch (error) {
          faults.set(label, (error as Error).message.slice(0, 160));
        }
      }
    }
    await heat(bench, entries);
    const outcomes = await contest(bench, `${name}, workers`, closedLoops(bench, entries, CONNECTIONS));
    return {
      judgements: [],
      tables: [outcomeTable(title, outcomes, faults)],
      data: outcomeData(outcomes, faults),
    };
  } finally {
    for (const { process } of running) process.kill();
    await Promise.all(running.map(({ process }) => process.ended));
  }
}

export const workers: Scenario = {
  name: "workers",
  about: "each server with one worker and with one a core, on all cores",
  seconds: (pace) => 2 * (3 * FLEET_SECONDS + pace.runs * 8 * loadSeconds(pace)),
  run: async (bench) => {
    await bench.dismiss();
    const where = `on all ${bench.cores.count} cores, shared with the load, closed loop`;
    const tiny = await measure(bench, "digits", `Tiny model, REST JSON, ${where}`);
    const heavy = await measure(bench, "compute", `Compute-bound model, REST JSON, ${where}`);
    return {
      judgements: [],
      tables: [...tiny.tables, ...heavy.tables],
      data: { tiny: tiny.data, compute: heavy.data },
    };
  },
};

import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "../bench.ts";
import { judge } from "../report/finding.ts";
import { show, summarise } from "../report/statistics.ts";
import { verify } from "../servers/running.ts";
import { loadSeconds, type Scenario } from "./scenario.ts";

const MEGABYTE = 1e6;
/** How long a server is left alone before its memory is read, in milliseconds. */
const SETTLE_MS = 1000;

interface Footprint {
  /** Bytes. */
  readonly idle: number;
  readonly afterLoad: number;
  /** Milliseconds. */
  readonly readyAfter: number;
}

async function measure(bench: Bench): Promise<Footprint> {
  const sample = bench.sample("digits");
  const server = await bench.startOurs(sample);
  try {
    await sleep(SETTLE_MS);
    const idle = server.process.residentBytes();
    const { target } = await verify(bench.generator, server, sample, "json");
    const { seconds, warmUp } = bench.pace;
    await bench.generator.run(target, { connections: 16, rate: 0, seconds, warmUp });
    await sleep(SETTLE_MS);
    return { idle, afterLoad: server.process.residentBytes(), readyAfter: server.readyAfter };
  } finally {
    await server.process.end();
  }
}

export const footprint: Scenario = {
  name: "footprint",
  about: "resident memory with the tiny model, and the time from start to ready",
  seconds: (pace) => (pace.runs + 1) * (loadSeconds(pace) + 3),
  run: async (bench) => {
    await bench.dismiss();
    const footprints: Footprint[] = [];
    // The first start reads the files from the disk.
    for (let round = 0; round <= bench.pace.runs; round++) {
      bench.say(`memory and start: round ${round} of ${bench.pace.runs}`);
      footprints.push(await measure(bench));
    }
    const of = (key: keyof Footprint, unit: number) => summarise(footprints.slice(1).map((one) => one[key] / unit));
    const [idle, afterLoad, ready] = [of("idle", MEGABYTE), of("afterLoad", MEGABYTE), of("readyAfter", 1000)];
    return {
      judgements: [
        judge(
          "resident memory, idle, tiny model",
          { text: "≤ 100 MB", holds: (value) => value <= 100 },
          idle,
          (value) => `${show(value, 1)} MB (after load: ${show(afterLoad, 1)} MB)`,
        ),
        judge(
          "time from start to ready",
          { text: "≤ 0.5 s", holds: (value) => value <= 0.5 },
          ready,
          (value) => `${show(value, 2)} s`,
        ),
      ],
      tables: [],
      data: footprints,
    };
  },
};

import { setTimeout as sleep } from "node:timers/promises";
import type { Bench } from "../bench.ts";
import { failed, type LoadReport } from "../machine/load.ts";
import { type Judgement, notMeasured } from "../report/finding.ts";
import { verify } from "../servers/running.ts";
import type { Scenario } from "./scenario.ts";

const WHAT = "SIGTERM under load";
const GOAL = "0 failed, 0 wrong";
/** Requests a second, as many as in a rolling update on the lab's cluster. */
const RATE = 200;
/** How long after SIGTERM requests still come, in milliseconds: until whoever routes them has heard of it. */
const STILL_ROUTED_MS = 2500;

interface Ending {
  readonly report: LoadReport;
  readonly exit: number | string;
}

async function endUnderLoad(bench: Bench): Promise<Ending> {
  const sample = bench.sample("digits");
  const server = await bench.startOurs(sample, { DRAIN_SECONDS: "4" });
  try {
    const { target } = await verify(bench.generator, server, sample, "json");
    using load = bench.generator.start(target, { connections: 16, rate: RATE, seconds: 60, warmUp: 0 });
    await sleep(2000);
    server.process.signal("SIGTERM");
    await sleep(STILL_ROUTED_MS);
    const report = await load.finish();
    const late = sleep(20_000, "still running", { ref: false });
    return { report, exit: await Promise.race([server.process.ended, late]) };
  } finally {
    await server.process.end();
  }
}

function judgeEndings(endings: readonly Ending[]): Judgement {
  const requests = endings.reduce((sum, { report }) => sum + report.requests, 0);
  const lost = endings.reduce((sum, { report }) => sum + failed(report), 0);
  const exits = [...new Set(endings.map(({ exit }) => exit))].join(", ");
  const errors = [...new Set(endings.flatMap(({ report }) => Object.keys(report.errors)))].join("; ");
  const measured = `${lost} of ${requests} failed${errors && `: ${errors}`}; exit code ${exits}`;
  if (requests === 0) return notMeasured(WHAT, GOAL, "no requests");
  return { what: WHAT, goal: GOAL, measured, verdict: lost === 0 && exits === "0" ? "pass" : "FAIL" };
}

export const termination: Scenario = {
  name: "termination",
  about: "SIGTERM while requests come: none may fail",
  seconds: (pace) => Math.min(pace.runs, 3) * 9,
  run: async (bench) => {
    await bench.dismiss();
    const endings: Ending[] = [];
    for (let round = 0; round < Math.min(bench.pace.runs, 3); round++) {
      bench.say(`SIGTERM under load: round ${round + 1}`);
      endings.push(await endUnderLoad(bench));
    }
    return { judgements: [judgeEndings(endings)], tables: [], data: endings };
  },
};

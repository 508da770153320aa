import type { Pace } from "../bench.ts";
import { closedLoops, contest, enter, type Outcome, outcomeData, outcomeTable } from "../contest.ts";
import { reasonOf } from "./comparison.ts";
import { enterEcho } from "./echo.ts";
import { compareTail, openLoops, tailOfLimit } from "./latency.ts";
import { FLEET_SECONDS, loadSeconds, type Scenario } from "./scenario.ts";

/** The share of its capacity at which the goal compares servers. */
const SHARE = 0.5;
/** Of the closed loop that finds the capacity. */
const CONNECTIONS = 16;

const rounds = (pace: Pace) => pace.runs * (pace.tail + pace.shares.length);

export const tinyLatency: Scenario = {
  name: "tiny-latency",
  about: "the tiny model at shares of each server's own capacity, open loop",
  seconds: (pace) => FLEET_SECONDS + 5 * (pace.shares.length * pace.settle + rounds(pace) * loadSeconds(pace)),
  run: async (bench) => {
    const fleet = await bench.fleet("digits");
    const { entries, faults } = await enter(bench, fleet, ["json"]);
    const all = [...(await enterEcho(bench, fleet, "json")), ...entries];
    const what = "tiny model, REST JSON";
    const capacity = await contest(bench, `${what}, capacity`, closedLoops(bench, all, [CONNECTIONS]));
    const open = new Map<number, Outcome[]>();
    for (const share of bench.pace.shares) {
      const times = share === SHARE ? bench.pace.tail : 1;
      open.set(share, await openLoops(bench, what, capacity, share, times));
    }
    const at = open.get(SHARE) ?? [];
    return {
      judgements: [
        compareTail(
          { what: "tiny model, p99 at 50 % of capacity, against the best peer", goal: "≤ 0.5 ×", atMost: 0.5 },
          at,
          reasonOf(faults),
        ),
      ],
      tables: [...open].map(([share, outcomes]) => {
        const title = `Tiny model, REST JSON, open loop at ${share * 100} % of each server's own capacity`;
        return outcomeTable(title, outcomes, faults, tailOfLimit(outcomes));
      }),
      data: {
        capacity: outcomeData(capacity, faults),
        open: Object.fromEntries([...open].map(([share, outcomes]) => [share, outcomeData(outcomes, faults)])),
      },
    };
  },
};

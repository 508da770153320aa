import { closedLoops, contest, enter, outcomeData, outcomeTable, ownedBy } from "../contest.ts";
import { bestOfEach, compareThroughput, reasonOf } from "./comparison.ts";
import { compareTail, openLoops } from "./latency.ts";
import { runtimeLoop } from "./runtime-loop.ts";
import { FLEET_SECONDS, loadSeconds, type Scenario } from "./scenario.ts";

const CONNECTIONS = 8;
const SHARE = 0.75;

export const compute: Scenario = {
  name: "compute",
  about: "a compute-bound model: capacity against a bare loop, and latency at 75 % of capacity",
  seconds: (pace) => FLEET_SECONDS + pace.runs * pace.stretch * 13 * loadSeconds(pace),
  run: async (bench) => {
    const fleet = await bench.fleet("compute");
    const { entries, faults } = await enter(bench, fleet, ["json", "binary", "grpc"]);
    const loop = runtimeLoop(bench, fleet.sample);
    const outcomes = await contest(
      bench,
      "compute-bound model",
      closedLoops(bench, [loop, ...entries], [CONNECTIONS]).map(({ entry, shape }) => ({
        entry,
        shape: { ...shape, seconds: shape.seconds * bench.pace.stretch },
      })),
    );
    const contenders = bestOfEach(outcomes.filter(({ entry }) => entry.owner !== "limit"));
    const at = await openLoops(bench, "compute-bound model", contenders, SHARE);
    return {
      judgements: [
        compareThroughput(
          { what: "compute-bound model, against a bare ONNX Runtime loop", times: 0.97, goal: "≥ 0.97 ×" },
          ownedBy(outcomes, "ours"),
          ownedBy(outcomes, "limit"),
          reasonOf(faults),
        ),
        compareTail(
          { what: "compute-bound model, p99 at 75 % of capacity, against the best peer", goal: "≤ 1 ×", atMost: 1 },
          at,
          reasonOf(faults),
        ),
      ],
      tables: [
        outcomeTable("Compute-bound model (magika), closed loop", outcomes, faults),
        outcomeTable("Compute-bound model, open loop at 75 % of each server's own capacity", at, new Map()),
      ],
      data: {
        closed: outcomeData(outcomes, faults),
        open: outcomeData(at, faults),
      },
    };
  },
};

import {
  closedLoops,
  contest,
  enter,
  type Outcome,
  outcomeData,
  outcomeTable,
  ownedBy,
  throughputs,
} from "../contest.ts";
import { quotients, show, summarise } from "../report/statistics.ts";
import { bestOfEach, compareThroughput, reasonOf } from "./comparison.ts";
import { compareTail, openLoops } from "./latency.ts";
import { enterRuntimeServer, RUNTIME_LOOP, RUNTIME_SERVER, runtimeLoop } from "./runtime-limits.ts";
import { FLEET_SECONDS, loadSeconds, type Scenario } from "./scenario.ts";

const CONNECTIONS = 8;
const SHARE = 0.75;

export const compute: Scenario = {
  name: "compute",
  about: "a compute-bound model: capacity against a bare loop, and latency at 75 % of capacity",
  seconds: (pace) =>
    FLEET_SECONDS + 4 * pace.settle + pace.runs * pace.stretch * (11 + 4 * pace.tail) * loadSeconds(pace),
  run: async (bench) => {
    const fleet = await bench.fleet("compute");
    const { entries, faults } = await enter(bench, fleet, ["json", "binary", "grpc"]);
    const limits = [runtimeLoop(bench, fleet.sample), ...(await enterRuntimeServer(bench, fleet))];
    const outcomes = await contest(
      bench,
      "compute-bound model",
      closedLoops(bench, [...limits, ...entries], [CONNECTIONS]).map(({ entry, shape }) => ({
        entry,
        shape: { ...shape, seconds: shape.seconds * bench.pace.stretch },
      })),
    );
    const contenders = bestOfEach(outcomes.filter(({ entry }) => entry.owner !== "limit"));
    const at = await openLoops(bench, "compute-bound model", contenders, SHARE, bench.pace.tail);
    return {
      judgements: [
        compareThroughput(
          { what: "compute-bound model, against a bare ONNX Runtime loop", times: 0.97, goal: "≥ 0.97 ×" },
          ownedBy(outcomes, "ours"),
          labelled(outcomes, RUNTIME_LOOP),
          reasonOf(faults),
        ),
        compareTail(
          { what: "compute-bound model, p99 at 75 % of capacity, against the best peer", goal: "≤ 1 ×", atMost: 1 },
          at,
          reasonOf(faults),
        ),
      ],
      tables: [
        outcomeTable("Compute-bound model (magika), closed loop", outcomes, faults, lossOf(outcomes)),
        outcomeTable("Compute-bound model, open loop at 75 % of each server's own capacity", at, new Map()),
      ],
      data: {
        closed: outcomeData(outcomes, faults),
        open: outcomeData(at, faults),
      },
    };
  },
};

function labelled(outcomes: readonly Outcome[], label: string): Outcome[] {
  return outcomes.filter(({ entry }) => entry.label === label);
}

/** What of the loop's throughput is left on the same core to the least server whose event loop stays free. */
function lossOf(outcomes: readonly Outcome[]): string[] {
  const [loop, server] = [RUNTIME_LOOP, RUNTIME_SERVER].map((label) => labelled(outcomes, label)[0]);
  if (loop === undefined || server === undefined) return [];
  const ratio = summarise(quotients(throughputs(server), throughputs(loop)));
  return [
    `The ${RUNTIME_SERVER} has ${show(ratio, 2)} × the loop's answers/s: sockets and a thread, and nothing else.`,
  ];
}

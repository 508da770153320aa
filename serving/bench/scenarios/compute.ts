import type { Bench } from "../bench.ts";
import {
  closedLoops,
  contest,
  type Entry,
  enter,
  entryOf,
  heat,
  type Outcome,
  outcomeData,
  outcomeTable,
  ownedBy,
  throughputs,
} from "../contest.ts";
import { quotients, show, summarise } from "../report/statistics.ts";
import type { Sample } from "../samples.ts";
import { verify } from "../servers/running.ts";
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
    FLEET_SECONDS + 4 * pace.settle + pace.runs * pace.stretch * (12 + 4 * pace.tail) * loadSeconds(pace),
  run: async (bench) => {
    const fleet = await bench.fleet("compute");
    const { entries, faults } = await enter(bench, fleet, ["json", "binary", "grpc"]);
    const limits = [runtimeLoop(bench, fleet.sample), ...(await enterRuntimeServer(bench, fleet))];
    const inline = await enterInline(bench, fleet.sample);
    const outcomes = await contest(
      bench,
      "compute-bound model",
      closedLoops(bench, [...limits, inline.entry, ...entries], [CONNECTIONS]).map(({ entry, shape }) => ({
        entry,
        shape: { ...shape, seconds: shape.seconds * bench.pace.stretch },
      })),
    ).finally(inline.end);
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

const INLINE = "model-server --execution inline";

/** This server as one may set it: the model on the event loop. What that costs is the health scenario's to say. */
async function enterInline(bench: Bench, sample: Sample): Promise<{ entry: Entry; end: () => Promise<void> }> {
  const server = await bench.startOurs(sample, { EXECUTION: "inline" });
  const { target } = await verify(bench.generator, server, sample, "binary");
  const entry = entryOf(bench, "limit", INLINE, target, server.process);
  await heat(bench, [entry]);
  return { entry, end: () => server.process.end() };
}

function labelled(outcomes: readonly Outcome[], label: string): Outcome[] {
  return outcomes.filter(({ entry }) => entry.label === label);
}

/** What of the loop's throughput is left on the same core to the least server whose event loop stays free, and to ours without that. */
function lossOf(outcomes: readonly Outcome[]): string[] {
  const [loop] = labelled(outcomes, RUNTIME_LOOP);
  if (loop === undefined) return [];
  const remarks = [
    [RUNTIME_SERVER, "sockets and a thread, and nothing else"],
    [INLINE, "no thread, and health waits for each run"],
  ];
  return remarks.flatMap(([label = "", why]) =>
    labelled(outcomes, label).map((server) => {
      const ratio = summarise(quotients(throughputs(server), throughputs(loop)));
      return `The ${label} has ${show(ratio, 2)} × the loop's answers/s: ${why}.`;
    }),
  );
}

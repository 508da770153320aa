import { closedLoops, contest, type Entry, enter, outcomeData, outcomeTable, ownedBy } from "../contest.ts";
import type { Finding } from "../report/finding.ts";
import { compareThroughput, reasonOf } from "./comparison.ts";
import { enterEcho } from "./echo.ts";
import { RUNTIME_LOOP, runtimeLoop } from "./runtime-limits.ts";
import { FLEET_SECONDS, loadSeconds, type Scenario } from "./scenario.ts";

export const tinyRest: Scenario = {
  name: "tiny-rest",
  about: "the tiny model through REST and JSON, closed loop",
  seconds: (pace) => FLEET_SECONDS + pace.runs * pace.connections.length * 5 * loadSeconds(pace),
  run: async (bench) => {
    const fleet = await bench.fleet("digits");
    const { entries, faults } = await enter(bench, fleet, ["json"]);
    const echo = await enterEcho(bench, fleet, "json");
    const outcomes = await contest(bench, "tiny model, REST JSON", [
      ...closedLoops(bench, [...echo, ...entries]),
      ...closedLoops(bench, [runtimeLoop(bench, fleet.sample)], [1]),
    ]);
    const against = (owner: Entry["owner"], name: string, times: number, goal: string) =>
      compareThroughput(
        { what: `tiny model, REST JSON, against ${name}`, times, goal },
        ownedBy(outcomes, "ours"),
        ownedBy(outcomes, owner).filter(({ entry }) => entry.label !== RUNTIME_LOOP),
        reasonOf(faults),
      );
    return {
      judgements: [
        against("limit", "the bare node:http echo", 0.75, "≥ 0.75 ×"),
        against("fastapi", "FastAPI", 3.5, "≥ 3.5 ×"),
        against("mlserver", "MLServer", 10, "≥ 10 ×"),
      ],
      tables: [outcomeTable("Tiny model (digits, 64 floats), REST JSON, closed loop", outcomes, faults)],
      data: outcomeData(outcomes, faults),
    } satisfies Finding;
  },
};

export const tinyGrpc: Scenario = {
  name: "tiny-grpc",
  about: "the tiny model through gRPC, closed loop",
  seconds: (pace) => pace.runs * pace.connections.length * 3 * loadSeconds(pace),
  run: async (bench) => {
    const fleet = await bench.fleet("digits");
    const { entries, faults } = await enter(bench, fleet, ["grpc"]);
    const outcomes = await contest(bench, "tiny model, gRPC", closedLoops(bench, entries));
    return {
      judgements: [
        compareThroughput(
          { what: "tiny model, gRPC, against MLServer's gRPC", times: 3, goal: "≥ 3 ×" },
          ownedBy(outcomes, "ours"),
          ownedBy(outcomes, "mlserver"),
          reasonOf(faults),
        ),
      ],
      tables: [outcomeTable("Tiny model, gRPC with raw contents, closed loop", outcomes, faults)],
      data: outcomeData(outcomes, faults),
    };
  },
};

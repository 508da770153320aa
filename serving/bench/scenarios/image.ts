import { closedLoops, contest, enter, outcomeData, outcomeTable, ownedBy } from "../contest.ts";
import { compareThroughput, reasonOf } from "./comparison.ts";
import { enterEcho } from "./echo.ts";
import { FLEET_SECONDS, loadSeconds, type Scenario } from "./scenario.ts";

const CONNECTIONS = [8];

export const image: Scenario = {
  name: "image",
  about: "an image-sized tensor in every way that a server takes it, closed loop",
  seconds: (pace) => FLEET_SECONDS + pace.runs * 12 * loadSeconds(pace),
  run: async (bench) => {
    const fleet = await bench.fleet("image");
    const { entries, faults } = await enter(bench, fleet, ["json", "binary", "raw", "grpc", "grpc-bytes"]);
    const echo = await enterEcho(bench, fleet, "binary");
    const outcomes = await contest(bench, "image-sized tensor", closedLoops(bench, [...echo, ...entries], CONNECTIONS));
    const ours = (way: string) => ownedBy(outcomes, "ours").filter(({ entry }) => entry.label.endsWith(`, ${way}`));
    return {
      judgements: [
        compareThroughput(
          { what: "image-sized tensor, binary REST against our own JSON", times: 10, goal: "≥ 10 ×" },
          ours("binary"),
          ours("json"),
          reasonOf(faults),
        ),
        ...bench.kinds
          .filter(({ id }) => id !== "ours")
          .map(({ id, title }) =>
            compareThroughput(
              { what: `image-sized tensor, binary REST against ${title}'s best way`, times: 3, goal: "≥ 3 ×" },
              ours("binary"),
              ownedBy(outcomes, id),
              reasonOf(faults),
            ),
          ),
      ],
      tables: [outcomeTable("Image-sized tensor (150,528 floats), closed loop", outcomes, faults)],
      data: outcomeData(outcomes, faults),
    };
  },
};

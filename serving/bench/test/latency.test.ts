import { expect, it } from "vitest";
import { type Bench, PACES } from "../bench.ts";
import type { Outcome } from "../contest.ts";
import type { LoadShape } from "../machine/load.ts";
import { openLoops } from "../scenarios/latency.ts";
import { reportOf } from "./report.ts";

it("loads each server at a share of its capacity, unmeasured first, and in as many rounds as asked for", async () => {
  const shapes: LoadShape[] = [];
  const run = (shape: LoadShape) => Promise.resolve(reportOf(500, shapes.push(shape)));
  const capacity: Outcome = {
    entry: { owner: "ours", label: "ours", run },
    shape: { connections: 16, rate: 0, seconds: 2, warmUp: 0.5 },
    reports: [reportOf(900, 0), reportOf(1001, 0), reportOf(1100, 0)],
  };
  const bench = { pace: { ...PACES.full, runs: 2, settle: 7 }, say: () => undefined } as unknown as Bench;
  const [outcome] = await openLoops(bench, "model", [capacity], 0.5, 3);
  expect(shapes[0]).toMatchObject({ rate: 500, seconds: 7, warmUp: 0 });
  expect(shapes.slice(1)).toEqual(Array(6).fill({ connections: 64, rate: 500, seconds: 2, warmUp: 0.5 }));
  expect(outcome?.reports.map(({ latency }) => latency.p99)).toEqual([2, 3, 4, 5, 6, 7]);
});

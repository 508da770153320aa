import { expect, it } from "vitest";
import type { Outcome } from "../contest.ts";
import { compareThroughput } from "../scenarios/comparison.ts";
import { compareTail } from "../scenarios/latency.ts";
import { reportOf } from "./report.ts";

function outcome(
  owner: Outcome["entry"]["owner"],
  label: string,
  rounds: readonly [number, number][],
  lost = 0,
): Outcome {
  return {
    entry: { owner, label, run: () => Promise.reject(new Error("not run")) },
    shape: { connections: 1, rate: 0, seconds: 1, warmUp: 0 },
    reports: rounds.map(([throughput, p99]) => reportOf(throughput, p99, lost)),
  };
}

const goal = { what: "speed", times: 3, goal: "≥ 3 ×" };

it("takes ratios within a round: a slow round slows both", () => {
  const ours = outcome("ours", "ours", [
    [400, 1],
    [40, 1],
    [400, 1],
  ]);
  const peer = outcome("fastapi", "peer", [
    [100, 1],
    [10, 1],
    [100, 1],
  ]);
  expect(compareThroughput(goal, [ours], [peer], "")).toMatchObject({ verdict: "pass" });
  expect(compareThroughput(goal, [ours], [peer], "").measured).toMatch(/^4\.00 × /);
});

it("compares with the fastest way of a peer", () => {
  const ours = outcome("ours", "ours", [[300, 1]]);
  const ways = [outcome("mlserver", "json", [[10, 1]]), outcome("mlserver", "bytes", [[150, 1]])];
  expect(compareThroughput(goal, [ours], ways, "")).toMatchObject({ verdict: "FAIL" });
  expect(compareThroughput(goal, [ours], ways, "").measured).toContain("bytes");
});

it("takes no figure from a server whose requests failed", () => {
  const ours = outcome("ours", "ours", [[900, 1]], 1);
  const peer = outcome("fastapi", "peer", [[100, 1]]);
  expect(compareThroughput(goal, [ours], [peer], "")).toMatchObject({
    verdict: "not measured",
    measured: "failed requests: ours",
  });
});

it("does not count an absent peer as beaten", () => {
  const ours = outcome("ours", "ours", [[900, 1]]);
  expect(compareThroughput(goal, [ours], [], "a server is absent")).toMatchObject({
    verdict: "not measured",
    measured: "a server is absent",
  });
});

it("compares tails with the peer whose tail is the shortest", () => {
  const tail = { what: "p99", goal: "≤ 0.5 ×", atMost: 0.5 };
  const ours = outcome("ours", "ours", [[1, 2]]);
  const peers = [outcome("fastapi", "fast", [[1, 3]]), outcome("kserve", "slow", [[1, 40]])];
  expect(compareTail(tail, [ours, ...peers], "")).toMatchObject({ verdict: "FAIL" });
  expect(compareTail(tail, [ours, ...peers.slice(1)], "")).toMatchObject({ verdict: "pass" });
});

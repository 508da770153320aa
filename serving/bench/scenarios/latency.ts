import type { Bench } from "../bench.ts";
import { best, contest, failures, type Outcome, peersOf, percentiles, type Start, throughputs } from "../contest.ts";
import { type Judgement, judge, notMeasured } from "../report/finding.ts";
import { quotients, show, summarise } from "../report/statistics.ts";

/** Connections of an open loop: enough that a request seldom waits for one. */
export const OPEN_CONNECTIONS = 64;

/**
 * Measures servers at a share of their own capacity.
 * @param capacity the closed loops that found it
 * @param times how many times more rounds there are than of those
 */
export async function openLoops(
  bench: Bench,
  what: string,
  capacity: readonly Outcome[],
  share: number,
  times = 1,
): Promise<Outcome[]> {
  const starts = capacity.map(({ entry, shape, reports }): Start => {
    const rate = Math.floor(share * summarise(reports.map(({ throughput }) => throughput)).median);
    return { entry, shape: { ...shape, connections: OPEN_CONNECTIONS, rate: Math.max(1, rate) } };
  });
  // The figures are dropped.
  for (const { entry, shape } of starts) await entry.run({ ...shape, seconds: bench.pace.settle, warmUp: 0 });
  return await contest(bench, `${what} at ${share * 100} % of capacity`, starts, bench.pace.runs * times);
}

/** The peer with the lowest 99th percentile. */
function bestTail(outcomes: readonly Outcome[]): Outcome | undefined {
  return peersOf(outcomes)
    .filter((outcome) => failures(outcome) === 0)
    .toSorted((one, other) => summarise(percentiles(one)).median - summarise(percentiles(other)).median)[0];
}

/** What a limit's 99th percentile, at its own rate, is to the lowest of the peers': it has next to nothing to do. */
export function tailOfLimit(outcomes: readonly Outcome[]): string[] {
  const limit = outcomes.find((outcome) => outcome.entry.owner === "limit" && failures(outcome) === 0);
  const their = bestTail(outcomes);
  if (limit === undefined || their === undefined) return [];
  const ratio = summarise(quotients(percentiles(limit), percentiles(their)));
  return [
    `${limit.entry.label}, at its own rate: p99 is ${show(ratio, 2)} × that of ${their.entry.label}, the best peer`,
  ];
}

/** Our 99th percentile against the lowest of the peers', round by round. */
export function compareTail(
  { what, goal, atMost }: { what: string; goal: string; atMost: number },
  outcomes: readonly Outcome[],
  wanting: string,
): Judgement {
  const our = best(outcomes.filter(({ entry }) => entry.owner === "ours"));
  const their = bestTail(outcomes);
  if (our === undefined || their === undefined) return notMeasured(what, goal, wanting);
  const ratio = summarise(quotients(percentiles(our), percentiles(their)));
  return judge(what, { text: goal, holds: (value) => value <= atMost }, ratio, () => {
    const [here, there] = [our, their].map((one) => show(summarise(percentiles(one)), 2));
    const [rate, otherRate] = [our, their].map((one) => summarise(throughputs(one)).median.toFixed(0));
    return `${show(ratio, 2)} × (${here} ms at ${rate}/s, ${their.entry.label}: ${there} ms at ${otherRate}/s)`;
  });
}

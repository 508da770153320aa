import { best, failures, type Outcome, ownedBy, perSecond, throughputs } from "../contest.ts";
import { type Judgement, judge, notMeasured } from "../report/finding.ts";
import { quotients, show, summarise } from "../report/statistics.ts";

/** What a comparison of throughputs asks for. */
export interface Comparison {
  readonly what: string;
  /** At least this many times the other's throughput. */
  readonly times: number;
  /** How the goal reads. */
  readonly goal: string;
}

/**
 * Our best outcome against the other's best, round by round. Neither counts when a request of it failed.
 * @param wanting why one of the two is missing, when it is.
 */
export function compareThroughput(
  { what, times, goal }: Comparison,
  mine: readonly Outcome[],
  others: readonly Outcome[],
  wanting: string,
): Judgement {
  const [our, their] = [best(mine), best(others)];
  if (our === undefined || their === undefined) {
    const failed = [...mine, ...others].filter((one) => failures(one) > 0).map((one) => one.entry.label);
    return notMeasured(what, goal, failed.length > 0 ? `failed requests: ${[...new Set(failed)].join(", ")}` : wanting);
  }
  const ratio = summarise(quotients(throughputs(our), throughputs(their)));
  return judge(what, { text: goal, holds: (value) => value >= times }, ratio, () => {
    const [here, there] = [our, their].map((one) => perSecond(throughputs(one)));
    return `${show(ratio, 2)} × (${here}/s, ${their.entry.label}: ${there}/s)`;
  });
}

/** The best outcome of each owner, as the field that ours is compared with. */
export function bestOfEach(outcomes: readonly Outcome[]): Outcome[] {
  return [...new Set(outcomes.map(({ entry }) => entry.owner))]
    .map((owner) => best(ownedBy(outcomes, owner)))
    .filter((outcome) => outcome !== undefined);
}

/** Why something is not there, from the faults that were found: the first says it, the table has them all. */
export function reasonOf(faults: ReadonlyMap<string, string>): string {
  const [first] = faults;
  return first === undefined ? "a server is absent" : `${first[0]}: ${first[1].slice(0, 60)}`;
}

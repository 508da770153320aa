import type { Verdict } from "../../shared/src/action-runtime/verdict.ts";

export const suites = ["readiness", "conformance", "golden cases", "load"] as const;

/** One thing that was tested. */
export interface Check {
  readonly suite: (typeof suites)[number];
  readonly name: string;
  readonly verdict: Verdict;
  /** Why it did not pass; empty where it did. It may hold words of the server, which are not to be trusted. */
  readonly message: string;
  /** What to do, where it is not what the suite's failures usually ask for. */
  readonly remedy?: string;
  readonly seconds: number;
}

/** The verdict of all checks together: one failure decides, then one that is unclear. */
export function overall(checks: readonly Check[]): Verdict {
  const verdicts = new Set(checks.map(({ verdict }) => verdict));
  return verdicts.has("fail") ? "fail" : verdicts.has("inconclusive") ? "inconclusive" : "pass";
}

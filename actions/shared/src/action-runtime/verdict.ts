/**
 * How a stage ends. `inconclusive` means too little data, or infrastructure that was not ready: it is never counted as a
 * pass, and it never causes a rollback.
 */
export type Verdict = "pass" | "fail" | "inconclusive";

/** What a stage found. */
export interface StageResult<Outputs extends Record<string, string> = Record<string, string>> {
  readonly verdict: Verdict;
  /** One sentence: why. */
  readonly reason: string;
  /** One sentence: what to do next. Only where there is something to do. */
  readonly remedy?: string;
  /** Stable code of what went wrong, for a verdict other than `pass` that still sets outputs. */
  readonly code?: string;
  /** The action's outputs by the names of `action.yml`. */
  readonly outputs: Outputs;
  /** Markdown for the step summary below the headline; built by `report/`, which escapes what is not ours. */
  readonly summary: string;
}

/** What a suite found: the same for people and for machines. */
export interface BenchReport {
  /** For people: a table and how it was measured. */
  readonly text: string;
  /** For machines; printed by `--json`. */
  readonly data: object;
  /** Whether everything stayed within its budget. */
  readonly good: boolean;
}

/** One group of measurements. */
export interface Suite {
  /** What is measured, in one line of the help. */
  readonly about: string;
  /** @param runs how often each thing is measured; the suite's own figure when it is left out. */
  readonly run: (runs: number | undefined) => Promise<BenchReport>;
}

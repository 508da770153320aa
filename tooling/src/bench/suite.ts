/** What a suite found: the same for people and for machines. */
export interface BenchReport {
  /** For people: a table and how it was measured. */
  readonly text: string;
  /** For machines; printed by `--json`. */
  readonly data: object;
  /** Whether everything stayed within its budget. */
  readonly good: boolean;
}

/** What a suite is asked for. */
export interface BenchRequest {
  /** How often each thing is measured; the suite's own figure when it is left out. */
  readonly runs?: number;
  /** Flags that only this suite knows, as they were given. */
  readonly more: readonly string[];
}

/** One group of measurements. */
export interface Suite {
  /** What is measured, in one line of the help. */
  readonly about: string;
  /** Flags that only this suite knows, with a line of help for each. */
  readonly flags?: Readonly<Record<string, { readonly type: "string" | "boolean"; readonly help: string }>>;
  readonly run: (request: BenchRequest) => Promise<BenchReport>;
}

import type { Progress } from "../../../lab/src/progress/progress.ts";

/** What a check may use. */
export interface CheckContext {
  /** Sets up tools, and shows that it does. */
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** One thing that is true of a commit that may be merged. */
export interface Check {
  readonly name: string;
  /** Resolves to what is wrong, one sentence or one tool's output each; none when all is well. */
  readonly run: (context: CheckContext) => Promise<readonly string[]>;
}

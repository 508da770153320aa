/** What a failure says about the release: `fail` blames the input or the release, `inconclusive` the infrastructure. */
export type Blame = "fail" | "inconclusive";

export interface ActionErrorDetail {
  /** What failed and with which value, in one sentence, without secrets. */
  readonly message: string;
  /** What the reader can do about it, in one sentence. */
  readonly remedy: string;
  /** Whether the release is at fault or the infrastructure could not answer. Default: `fail`. */
  readonly blame?: Blame;
  readonly cause?: unknown;
}

/**
 * The one error of the actions. `code` is stable across versions, so that it can be searched for and documented
 * (docs/errors.md); the message names the value that was wrong and the likely cause; the remedy says what to do.
 */
export class ActionError extends Error {
  readonly code: string;
  readonly remedy: string;
  readonly blame: Blame;

  constructor(code: string, detail: ActionErrorDetail) {
    super(detail.message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = "ActionError";
    this.code = code;
    this.remedy = detail.remedy;
    this.blame = detail.blame ?? "fail";
  }
}

/** Any thrown value as an `ActionError`; what was not one is an error of ours, and says so. */
export function toActionError(thrown: unknown): ActionError {
  if (thrown instanceof ActionError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ActionError("UNEXPECTED", {
    message: `unexpected error: ${message}`,
    remedy: "re-run with debug logging (ACTIONS_STEP_DEBUG=true) and report it with the log",
    blame: "inconclusive",
    cause: thrown,
  });
}

/** The work was told to stop (SIGINT or SIGTERM from the runner). */
export function cancelled(what: string): ActionError {
  return new ActionError("CANCELLED", {
    message: `${what} was cancelled`,
    remedy: "re-run the job; it continues from what is already there",
    blame: "inconclusive",
  });
}

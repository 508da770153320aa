/** What a person needs beside the message when something in the lab fails. */
export interface LabErrorDetails {
  /** What to do about it, in the imperative. */
  readonly remedy: string;
  /** The error underneath, if there is one. */
  readonly cause?: unknown;
}

/** Every failure that the lab reports: what failed, a stable code, and what to do about it. */
export class LabError extends Error {
  override readonly name = "LabError";
  readonly code: string;
  readonly remedy: string;

  constructor(code: string, message: string, details: LabErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.remedy = details.remedy;
  }
}

/** The code of the error that a cancelled operation ends with. */
export const CANCELLED = "CANCELLED";

/** The error of an operation that was asked to stop before its end. */
export function cancelled(what: string): LabError {
  return new LabError(CANCELLED, `${what} was cancelled`, {
    remedy: "run the same command again: it continues from what is finished",
  });
}

/** Whether an error says that somebody asked to stop, which is no fault. */
export function isCancelled(error: unknown): boolean {
  return error instanceof LabError && error.code === CANCELLED;
}

/** An error as lines for a terminal: what failed, what to do, the code, and the cause where it adds something. */
export function explain(error: unknown): string {
  if (!(error instanceof LabError)) {
    return `error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
  const lines = [`error: ${error.message}`, `  remedy: ${error.remedy}`, `  code: ${error.code}`];
  if (error.cause instanceof Error) lines.push(`  cause: ${error.cause.message}`);
  return lines.join("\n");
}

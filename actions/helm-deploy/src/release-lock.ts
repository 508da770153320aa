import type { Revision } from "./release-history.ts";

/** Labels that every revision carries, by which a later run knows whose it was and how long it may have taken. */
export const labelNames = { run: "mlops-actions/run", timeout: "mlops-actions/timeout" } as const;

/** `run id`-`attempt`; empty outside of a workflow. */
export function runLabel(environment: Readonly<Record<string, string | undefined>>): string {
  const { GITHUB_RUN_ID: id, GITHUB_RUN_ATTEMPT: attempt } = environment;
  return id ? `${id}-${attempt ?? "1"}` : "";
}

/** After its own timeout a run still diagnoses and rolls back. */
const marginMilliseconds = 60_000;

/**
 * Until when (milliseconds since the epoch) an unfinished revision may belong to a run that is alive. In the past: it is
 * left over and may be mended. A revision without our labels gets the time that this run allows itself.
 *
 * An earlier attempt of this very run has ended, since an attempt begins only when the one before it is over. A rollback
 * carries the labels of the revision that it goes back to, so they say nothing about who began it.
 */
export function heldUntil(
  pending: Revision,
  labels: Readonly<Record<string, string>>,
  ownRun: string,
  ownTimeoutMilliseconds: number,
): number {
  const begun = Date.parse(pending.updated);
  const run = pending.status === "pending-rollback" ? "" : (labels[labelNames.run] ?? "");
  if (isEarlierAttempt(run, ownRun)) return begun;
  const labelled = Number(labels[labelNames.timeout]) * 1_000;
  const timeout = Number.isFinite(labelled) && labelled > 0 ? labelled : ownTimeoutMilliseconds;
  return begun + timeout + marginMilliseconds;
}

function isEarlierAttempt(run: string, ownRun: string): boolean {
  const [id, attempt] = run.split("-").map(Number);
  const [ownId, ownAttempt] = ownRun.split("-").map(Number);
  return !!id && id === ownId && (attempt ?? 0) < (ownAttempt ?? 0);
}

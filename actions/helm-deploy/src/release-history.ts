/** One line of `helm history`. */
export interface Revision {
  readonly revision: number;
  /** When it was begun, RFC 3339. */
  readonly updated: string;
  readonly status: string;
  readonly chart: string;
  readonly description: string;
}

/** Where a release stands. */
export interface ReleaseState {
  /** Oldest first. */
  readonly revisions: readonly Revision[];
  /** The revision that was last brought to its end; undefined before the first. */
  readonly deployed: Revision | undefined;
  /** The revision that someone is working on, or died while working on. */
  readonly pending: Revision | undefined;
  readonly last: Revision | undefined;
}

const unfinished = new Set(["pending-install", "pending-upgrade", "pending-rollback", "uninstalling"]);

export function releaseState(history: readonly Revision[]): ReleaseState {
  const revisions = [...history].sort((a, b) => a.revision - b.revision);
  const last = revisions.at(-1);
  return {
    revisions,
    deployed: revisions.findLast(({ status }) => status === "deployed"),
    pending: last && unfinished.has(last.status) ? last : undefined,
    last,
  };
}

/**
 * Whether a revision was ever brought to its end. Helm marks a deployed revision as superseded when the next one succeeds;
 * failed ones stay failed.
 */
export function wasDeployed({ status }: Revision): boolean {
  return status === "deployed" || status === "superseded";
}

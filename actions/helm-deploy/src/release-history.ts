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
  /** The revision that was last brought to its end; undefined before the first, and after an uninstallation. */
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
    deployed: revisions.findLast(({ status }) => status === "deployed") ?? servedUntilFailure(revisions),
    pending: last && unfinished.has(last.status) ? last : undefined,
    last,
  };
}

/**
 * `helm rollback` marks the revision that it leaves as superseded even where the cluster refuses the one it goes to, and then
 * none is deployed. Source: helm 3 and 4, pkg/action/rollback.go, performRollback.
 */
function servedUntilFailure(revisions: readonly Revision[]): Revision | undefined {
  const isGone = revisions.at(-1)?.status.startsWith("uninstall");
  return isGone ? undefined : revisions.findLast(({ status }) => status === "superseded");
}

/**
 * Whether a revision was ever brought to its end. Helm marks a deployed revision as superseded when the next one succeeds;
 * failed ones stay failed.
 */
export function wasDeployed({ status }: Revision): boolean {
  return status === "deployed" || status === "superseded";
}

/**
 * The revision that was first deployed as this one is: for one that a rollback made, what it went back to, however often;
 * else itself. It may be older than what Helm has kept.
 */
export function originOf({ revision, description }: Revision, revisions: readonly Revision[]): number {
  const goal = Number(/^Rollback to (\d+)$/.exec(description)?.[1]);
  if (!(goal < revision)) return revision;
  const found = revisions.find((other) => other.revision === goal);
  return found ? originOf(found, revisions) : goal;
}

/**
 * What was served before a revision, newest first. A rollback undoes what came after its goal, so before it was what was
 * served before its goal: what it left is not among them.
 */
export function servedBefore(revision: Revision, revisions: readonly Revision[]): readonly Revision[] {
  const origin = originOf(revision, revisions);
  const before = revisions.findLast((other) => other.revision < origin && wasDeployed(other));
  return before ? [before, ...servedBefore(before, revisions)] : [];
}

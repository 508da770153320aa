import type { ActionContext } from "../../shared/src/action-runtime/action.ts";
import { ActionError } from "../../shared/src/action-runtime/error.ts";
import type { Kubectl } from "../../shared/src/kubernetes/kubectl.ts";
import { lastLine } from "./helm.ts";
import type { Revision } from "./release-history.ts";
import type { Target } from "./supervise.ts";

/** Label of a revision that a rollback left: which workflow run did, so that its next attempt goes to the same goal. */
export const leftByLabel = "mlops-actions/left-by";

type Environment = ActionContext["environment"];

/**
 * The label's value: the workflow run and the revision itself, since Helm copies labels from the revision that it goes back
 * to, and from the one before to an upgrade. Undefined outside of a workflow.
 */
export function leftByValue({ GITHUB_RUN_ID: run }: Environment, revision: number): string | undefined {
  return run !== undefined && /^[A-Za-z0-9]{1,40}$/.test(run) ? `${run}.v${revision}` : undefined;
}

/** The Secret in which Helm keeps a revision. */
export function revisionSecret({ release }: Pick<Target, "release">, revision: number): string {
  return `sh.helm.release.v1.${release}.v${revision}`;
}

/** Of the Secrets of a release, the first revision that this workflow run has left; copied labels do not count. */
export function revisionLeftBy(
  environment: Environment,
  target: Pick<Target, "release">,
  secrets: readonly LabelledSecret[],
): number | undefined {
  const left = secrets.flatMap(({ metadata: { name, labels } }) => {
    const revision = Number(labels?.version);
    const isOwn = labels?.[leftByLabel] === leftByValue(environment, revision);
    return isOwn && name === revisionSecret(target, revision) ? [revision] : [];
  });
  return left.length === 0 ? undefined : Math.min(...left);
}

interface LabelledSecret {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
}

/**
 * The revision that an earlier attempt of this workflow run left, if one did.
 *
 * @throws ActionError as `Kubectl.list` does, but for a user who may not read Secrets
 */
export async function findLeft(
  kubectl: Pick<Kubectl, "list">,
  target: Target,
  { environment, log }: Pick<ActionContext, "environment" | "log">,
): Promise<number | undefined> {
  if (leftByValue(environment, 1) === undefined) return undefined;
  try {
    const selector = `owner=helm,name=${target.release},${leftByLabel}`;
    return revisionLeftBy(environment, target, await kubectl.list("secrets", target.namespace, selector));
  } catch (error) {
    if (!(error instanceof ActionError) || error.code !== "CLUSTER_FORBIDDEN") throw error;
    log.line(`what an earlier attempt of this run left could not be read: ${error.message}`);
    return undefined;
  }
}

/** Remembers that this workflow run leaves a revision. Where that cannot be, the log says so, and the work goes on. */
export async function markLeft(
  kubectl: Pick<Kubectl, "run">,
  target: Target,
  { revision }: Revision,
  { environment, log }: Pick<ActionContext, "environment" | "log">,
): Promise<void> {
  const value = leftByValue(environment, revision);
  if (value === undefined) return;
  const what = ["label", "secret", revisionSecret(target, revision), `${leftByLabel}=${value}`];
  const args = [...what, "--overwrite", "--namespace", target.namespace, "--request-timeout=15s"];
  const result = await kubectl.run(args);
  if (result.exitCode === 0) return;
  log.line(
    `revision ${revision} could not be labelled as left by this run, so a re-run would go back one further: ${lastLine(result.stderr)}`,
  );
}

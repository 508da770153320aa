import type { ActionContext } from "../../shared/src/action-runtime/action.ts";
import { ActionError } from "../../shared/src/action-runtime/error.ts";
import { type Digest, shortDigest } from "../../shared/src/oci/digest.ts";
import type { ImageReference } from "../../shared/src/oci/reference.ts";
import type { RegistryClient } from "../../shared/src/oci/registry.ts";
import { rollbackArguments } from "./args.ts";
import { type Deployment, problemOf, type Tools } from "./deploy.ts";
import type { Helm } from "./helm.ts";
import type { HelmDeployInputs } from "./inputs.ts";
import { settledRelease } from "./mend.ts";
import { type ReleaseState, type Revision, releaseState, wasDeployed } from "./release-history.ts";
import { revisionImage } from "./revision-image.ts";
import { supervise } from "./supervise.ts";

/** What a rollback goes back to. */
export interface RollbackGoal {
  readonly revision: Revision;
  readonly image: ImageReference;
}

/**
 * Chooses what to go back to: the revision that was named, or the newest deployed one with another digest than now, or with
 * the digest that was named.
 *
 * @throws ActionError `ROLLBACK_IMPOSSIBLE`
 */
export async function chooseGoal(
  state: ReleaseState,
  inputs: HelmDeployInputs,
  wanted: Digest | undefined,
  helm: Pick<Helm, "values">,
): Promise<RollbackGoal> {
  const imageOf = ({ revision }: Revision) => revisionImage(helm, inputs, revision);
  const current = state.deployed;
  const live = current && (await imageOf(current));
  const candidates = state.revisions.toReversed().filter((revision) => {
    if (inputs.revision !== undefined) return revision.revision === inputs.revision;
    return wasDeployed(revision) && revision.revision !== current?.revision;
  });
  for (const revision of candidates) {
    const image = await imageOf(revision);
    if (!image) continue;
    const fits =
      inputs.revision !== undefined || (wanted === undefined ? image.digest !== live?.digest : image.digest === wanted);
    if (fits) return { revision, image };
  }
  throw impossible(inputs, wanted, candidates.length);
}

function impossible({ release, namespace, revision }: HelmDeployInputs, wanted: Digest | undefined, known: number) {
  const where = `release ${release} in namespace ${namespace}`;
  const message =
    revision !== undefined
      ? `${where} has no revision ${revision} that names an image by digest`
      : wanted !== undefined
        ? `${where} has no deployed revision with digest ${shortDigest(wanted)}`
        : `${where} has no earlier deployed revision with another digest (${known} earlier revisions looked at)`;
  return new ActionError("ROLLBACK_IMPOSSIBLE", {
    message,
    remedy: `see \`helm history ${release} -n ${namespace}\`; Helm keeps 10 revisions; deploy an older digest instead`,
  });
}

/** Goes back to an earlier revision. The outcome carries the image that it brings back. */
export async function rollBack(
  inputs: HelmDeployInputs,
  wanted: Digest | undefined,
  tools: Omit<Tools, "registry">,
  openRegistry: (image: ImageReference) => Promise<RegistryClient>,
  context: ActionContext,
): Promise<{ image: ImageReference; deployment: Deployment }> {
  const target = { release: inputs.release, namespace: inputs.namespace };
  const before = await settledRelease(target, inputs.timeout, tools, context);
  const goal = await chooseGoal(before, inputs, wanted, tools.helm);
  const { revision, image } = goal;
  context.log.line(`rolling back to revision ${revision.revision}, digest ${shortDigest(image.digest)}`);
  const args = rollbackArguments(tools.helm.major, {
    ...target,
    revision: revision.revision,
    timeoutSeconds: Math.ceil(inputs.timeout / 1_000),
    wait: true,
  });
  const rollout = await supervise(args, target, inputs.timeout, tools, context);
  const after = releaseState(await tools.helm.history(inputs.release, inputs.namespace)).last;
  const common = { revision: after, previous: before.deployed, rollout };
  const registry = await openRegistry(image);
  const problem = await problemOf(rollout, image, inputs.timeout, registry);
  if (problem) return { image, deployment: { ...problem, ...common } };
  const reason = `revision ${after?.revision} of ${inputs.release} serves ${shortDigest(image.digest)} again in ${inputs.environment}, as revision ${revision.revision} did`;
  return { image, deployment: { verdict: "pass", reason, ...common } };
}

import type { ActionContext } from "../../shared/src/action-runtime/action.ts";
import { ActionError } from "../../shared/src/action-runtime/error.ts";
import { type Digest, shortDigest } from "../../shared/src/oci/digest.ts";
import type { ImageReference } from "../../shared/src/oci/reference.ts";
import type { RegistryClient } from "../../shared/src/oci/registry.ts";
import { rollbackArguments } from "./args.ts";
import { type Deployment, problemOf, type Tools } from "./deploy.ts";
import type { Helm } from "./helm.ts";
import type { HelmDeployInputs } from "./inputs.ts";
import { findLeft, markLeft } from "./left-revision.ts";
import { settledRelease } from "./mend.ts";
import {
  originOf,
  type ReleaseState,
  type Revision,
  releaseState,
  servedBefore,
  wasDeployed,
} from "./release-history.ts";
import { revisionImage } from "./revision-image.ts";
import { inspect, type Rollout, supervise } from "./supervise.ts";

/** What a rollback goes back to. */
export interface RollbackGoal {
  readonly revision: Revision;
  readonly image: ImageReference;
}

/**
 * Chooses what to go back to: the revision that was named, the newest deployed one with the digest that was named, or the
 * newest with another digest of those that were served before the one that is left. Never one that a rollback has left.
 *
 * @param left revision that an earlier attempt of this workflow run left: then the goal is the same as its own was
 * @throws ActionError `ROLLBACK_IMPOSSIBLE`
 */
export async function chooseGoal(
  { revisions, deployed }: ReleaseState,
  left: number | undefined,
  inputs: HelmDeployInputs,
  wanted: Digest | undefined,
  helm: Pick<Helm, "values">,
): Promise<RollbackGoal> {
  const imageOf = ({ revision }: Revision) => revisionImage(helm, inputs, revision);
  const byNumber = (number: number | undefined) => revisions.find(({ revision }) => revision === number);
  const find = async (candidates: readonly Revision[], fits: (digest: Digest) => boolean) => {
    for (const revision of candidates) {
      const image = await imageOf(revision);
      if (image && fits(image.digest)) return { revision, image };
    }
    throw impossible(inputs, wanted, candidates.length);
  };
  const named = byNumber(inputs.revision);
  if (inputs.revision !== undefined) return await find(named ? [named] : [], () => true);
  if (wanted !== undefined) return await find(revisions.filter(wasDeployed).reverse(), (digest) => digest === wanted);
  const leaving = byNumber(left) ?? deployed;
  const digestLeft = leaving && (await imageOf(leaving))?.digest;
  return await find(leaving ? servedBefore(leaving, revisions) : [], (digest) => digest !== digestLeft);
}

function impossible({ release, namespace, revision }: HelmDeployInputs, wanted: Digest | undefined, known: number) {
  const where = `release ${release} in namespace ${namespace}`;
  const message =
    revision !== undefined
      ? `${where} has no revision ${revision} that names an image by digest`
      : wanted !== undefined
        ? `${where} has no deployed revision with digest ${shortDigest(wanted)}`
        : `${where} has no earlier deployed revision with another digest (looked at ${known})`;
  return new ActionError("ROLLBACK_IMPOSSIBLE", {
    message,
    remedy: `go forward instead: promote a digest that has passed, or deploy it with helm-deploy; \`helm history ${release} -n ${namespace}\` lists what Helm has kept`,
  });
}

/**
 * Whether the release is at the goal already: by content where a revision was named, else by digest. A last revision that
 * failed has changed the cluster, so that it is not.
 */
export async function isServed(
  { last, revisions }: ReleaseState,
  goal: RollbackGoal,
  inputs: HelmDeployInputs,
  helm: Pick<Helm, "values">,
): Promise<boolean> {
  if (last?.status !== "deployed") return false;
  if (inputs.revision !== undefined) return originOf(last, revisions) === originOf(goal.revision, revisions);
  return (await revisionImage(helm, inputs, last.revision))?.digest === goal.image.digest;
}

/**
 * Goes back to an earlier revision; where the release is there already, only looks whether its pods are. The outcome carries
 * the image that it brings back.
 */
export async function rollBack(
  inputs: HelmDeployInputs,
  wanted: Digest | undefined,
  tools: Omit<Tools, "registry">,
  openRegistry: (image: ImageReference) => Promise<RegistryClient>,
  context: ActionContext,
): Promise<{ image: ImageReference; deployment: Deployment }> {
  const target = { release: inputs.release, namespace: inputs.namespace };
  const before = await settledRelease(target, inputs.timeout, tools, context);
  const left = await findLeft(tools.kubectl, target, context);
  const goal = await chooseGoal(before, left, inputs, wanted, tools.helm);
  const { revision, image } = goal;
  const served = await isServed(before, goal, inputs, tools.helm);
  if (!served && left === undefined && before.deployed) await markLeft(tools.kubectl, target, before.deployed, context);
  const rollout = await (served
    ? inspectRelease(before.last, image, inputs, tools, context)
    : changeRelease(goal, inputs, tools, context));
  const after = served ? before.last : releaseState(await tools.helm.history(inputs.release, inputs.namespace)).last;
  const common = { revision: after, previous: before.deployed, rollout };
  const registry = await openRegistry(image);
  const problem = await problemOf(rollout, image, inputs.timeout, registry);
  if (problem) return { image, deployment: { ...problem, ...common } };
  const how = served ? "already" : `again, as revision ${revision.revision} did`;
  const reason = `revision ${after?.revision} of ${inputs.release} serves ${shortDigest(image.digest)} in ${inputs.environment} ${how}`;
  return { image, deployment: { verdict: "pass", reason, ...common } };
}

function inspectRelease(
  last: Revision | undefined,
  image: ImageReference,
  { release, namespace, timeout }: HelmDeployInputs,
  tools: Omit<Tools, "registry">,
  context: ActionContext,
): Promise<Rollout> {
  const is = `revision ${last?.revision} has digest ${shortDigest(image.digest)} already`;
  context.log.line(`${is}: nothing to roll back, only its pods are checked`);
  return inspect({ release, namespace }, timeout, tools, context);
}

function changeRelease(
  { revision: { revision }, image }: RollbackGoal,
  { release, namespace, timeout }: HelmDeployInputs,
  tools: Omit<Tools, "registry">,
  context: ActionContext,
): Promise<Rollout> {
  context.log.line(`rolling back to revision ${revision}, digest ${shortDigest(image.digest)}`);
  const scope = { release, namespace, revision, timeoutSeconds: Math.ceil(timeout / 1_000), wait: true };
  return supervise(rollbackArguments(tools.helm.major, scope), { release, namespace }, timeout, tools, context);
}

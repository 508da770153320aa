import { resolve } from "node:path";
import type { ActionContext } from "../../shared/src/action-runtime/action.ts";
import { ActionError } from "../../shared/src/action-runtime/error.ts";
import type { Verdict } from "../../shared/src/action-runtime/verdict.ts";
import type { Kubectl } from "../../shared/src/kubernetes/kubectl.ts";
import { ensureNamespace } from "../../shared/src/kubernetes/namespace.ts";
import { shortDigest } from "../../shared/src/oci/digest.ts";
import { formatImage, formatRepository, type ImageReference } from "../../shared/src/oci/reference.ts";
import type { RegistryClient } from "../../shared/src/oci/registry.ts";
import { rollbackArguments, uninstallArguments, upgradeArguments } from "./args.ts";
import type { Chart } from "./chart.ts";
import { type Helm, lastLine } from "./helm.ts";
import type { HelmDeployInputs } from "./inputs.ts";
import { locked, settledRelease } from "./mend.ts";
import { type Revision, releaseState } from "./release-history.ts";
import { labelNames, runLabel } from "./release-lock.ts";
import { type Rollout, supervise, type Target } from "./supervise.ts";
import { verifyLiveImage } from "./verify.ts";

export interface Tools {
  readonly helm: Helm;
  readonly kubectl: Kubectl;
  readonly registry: RegistryClient;
}

/** What a deployment or rollback came to. */
export interface Deployment {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly remedy?: string;
  /** Revision that the release is at now; undefined when it was uninstalled. */
  readonly revision: Revision | undefined;
  /** Revision that was deployed before. */
  readonly previous: Revision | undefined;
  readonly rollout: Rollout;
}

/**
 * Deploys an image by its digest. A release at fault is rolled back, after the evidence was collected; where the
 * infrastructure could not answer, the release stays as it is, so that a re-run finishes it.
 */
export async function deploy(
  image: ImageReference,
  chart: Chart,
  inputs: HelmDeployInputs,
  tools: Tools,
  context: ActionContext,
): Promise<Deployment> {
  const target = { release: inputs.release, namespace: inputs.namespace };
  await ensureNamespace(tools.kubectl, inputs.namespace, context);
  const before = await settledRelease(target, inputs.timeout, tools, context);
  const previous = before.deployed;
  context.log.line(`deploying ${formatImage(image)} as release ${inputs.release} in namespace ${inputs.namespace}`);
  const args = upgradeArguments(tools.helm.major, upgradeOf(image, chart, inputs, context));
  const rollout = await supervise(args, target, inputs.timeout, tools, context);
  const after = releaseState(await tools.helm.history(inputs.release, inputs.namespace));
  if (rollout.ended === "badly" && after.last?.revision === before.last?.revision) throw notBegun(target, rollout);
  const problem = await problemOf(rollout, image, inputs.timeout, tools.registry);
  if (!problem)
    return {
      verdict: "pass",
      reason: `revision ${after.last?.revision} of ${inputs.release} serves ${shortDigest(image.digest)} in ${inputs.environment}`,
      revision: after.last,
      previous,
      rollout,
    };
  if (problem.verdict === "inconclusive") {
    const reason = `${problem.reason}; revision ${after.last?.revision} was left in place`;
    return { ...problem, reason, revision: after.last, previous, rollout };
  }
  const undone = await undo(target, previous, inputs.timeout, tools.helm, context);
  const now = releaseState(await tools.helm.history(inputs.release, inputs.namespace)).last;
  return { ...problem, reason: `${problem.reason}; ${undone}`, revision: now, previous, rollout };
}

function upgradeOf(image: ImageReference, chart: Chart, inputs: HelmDeployInputs, { environment }: ActionContext) {
  const workspace = environment.GITHUB_WORKSPACE ?? ".";
  const timeoutSeconds = Math.ceil(inputs.timeout / 1_000);
  const run = runLabel(environment);
  const about = [
    `digest ${shortDigest(image.digest)}`,
    ...(inputs["model-version"] === undefined ? [] : [`model version ${inputs["model-version"]}`]),
    ...(environment.GITHUB_SHA ? [`commit ${environment.GITHUB_SHA.slice(0, 12)}`] : []),
    ...(run ? [`run ${run} by ${environment.GITHUB_ACTOR ?? "unknown"}`] : []),
  ];
  return {
    release: inputs.release,
    namespace: inputs.namespace,
    chart: chart.location,
    chartVersion: inputs["chart-version"],
    values: inputs.values.map((file) => resolve(workspace, file)),
    set: inputs.set,
    setString: [
      [inputs["repository-key"], formatRepository(image)],
      [inputs["digest-key"], image.digest],
    ] as const,
    labels: { [labelNames.timeout]: String(timeoutSeconds), ...(run ? { [labelNames.run]: run } : {}) },
    description: about.join(", "),
    timeoutSeconds,
    plainHttp: chart.plainHttp,
  };
}

interface Problem {
  readonly verdict: "fail" | "inconclusive";
  readonly reason: string;
  readonly remedy: string;
}

/** What a rollout that ended badly says about the release. Without a known cause, time alone is no proof against it. */
export function judge(rollout: Rollout & { ended: "badly" }, timeoutMilliseconds: number): Problem {
  const { diagnosis, failure, said, capture } = rollout;
  if (diagnosis) {
    const words = diagnosis.blame === "fail" ? lastWords(capture.log) : "";
    return { verdict: diagnosis.blame, reason: `${diagnosis.sentence}${words}`, remedy: diagnosis.remedy };
  }
  if (failure === "other")
    return { verdict: "fail", reason: `helm failed: ${said}`, remedy: "correct the chart or its values" };
  if (failure === "internal")
    return {
      verdict: "inconclusive",
      reason: `the cluster could not carry it out: ${said}`,
      remedy: "see the cluster's message; mend the cluster, then re-run",
    };
  return {
    verdict: "inconclusive",
    reason: `the rollout did not end within ${timeoutMilliseconds / 1_000} s, and no cause is known: ${said}`,
    remedy: "re-run; raise `timeout` if the model takes long to load",
  };
}

/** The last line of a container's log, which most often names the cause. */
function lastWords(log: readonly string[]): string {
  const line = log.findLast((text) => text.trim() !== "")?.trim();
  return line === undefined ? "" : `; its last words: ${line.slice(0, 200)}`;
}

/** Why a rollout did not come to what was asked for, if it did not. */
export async function problemOf(
  rollout: Rollout,
  image: ImageReference,
  timeoutMilliseconds: number,
  registry: RegistryClient,
): Promise<Problem | undefined> {
  if (rollout.ended === "badly") return judge(rollout, timeoutMilliseconds);
  const mismatch = await verifyLiveImage(rollout.progress, image, registry);
  return mismatch && { verdict: "fail", ...mismatch };
}

/** Helm stopped before it made a revision: nothing was changed, so nothing is rolled back. */
function notBegun(target: Target, { failure, said }: Rollout & { ended: "badly" }): ActionError {
  if (failure === "locked") return locked(target, undefined, Number.NaN);
  if (failure === "unreachable" || failure === "timeout")
    return new ActionError("CLUSTER_UNREACHABLE", {
      message: `helm could not reach what it needs, and changed nothing: ${said}`,
      remedy: "check the way from this runner to the cluster and, for an oci:// chart, to its registry; then re-run",
      blame: "inconclusive",
    });
  return new ActionError("CHART_INVALID", {
    message: `helm does not accept the chart with these values, and changed nothing: ${said}`,
    remedy: "reproduce it with `helm template` and the same value files; correct the chart, `values` or `set`",
  });
}

/** Puts back what was deployed before, or takes a failed first install away, as `helm --atomic` would. Says what it did. */
async function undo(
  { release, namespace }: Target,
  previous: Revision | undefined,
  timeoutMilliseconds: number,
  helm: Helm,
  { log }: ActionContext,
): Promise<string> {
  const scope = { release, namespace, timeoutSeconds: Math.ceil(timeoutMilliseconds / 1_000) };
  const args = previous
    ? rollbackArguments(helm.major, { ...scope, revision: previous.revision, wait: true })
    : uninstallArguments(helm.major, scope);
  log.line(previous ? `rolling back to revision ${previous.revision}` : "uninstalling the failed first install");
  const result = await helm.run(args, { timeoutMilliseconds: timeoutMilliseconds + 30_000 });
  if (result.exitCode !== 0)
    return `going back ${previous ? `to revision ${previous.revision} ` : ""}failed too: ${lastLine(result.stderr)}`;
  return previous
    ? `rolled back to what revision ${previous.revision} was`
    : "the failed first install was uninstalled, since there is nothing to go back to";
}

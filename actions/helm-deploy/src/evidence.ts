import type { ActionContext } from "../../shared/src/action-runtime/action.ts";
import { ActionError, toActionError } from "../../shared/src/action-runtime/error.ts";
import type { Verdict } from "../../shared/src/action-runtime/verdict.ts";
import { recordFinding } from "../../shared/src/evidence/record.ts";
import { formatImage, type ImageReference } from "../../shared/src/oci/reference.ts";
import type { RegistryClient } from "../../shared/src/oci/registry.ts";
import type { Deployment } from "./deploy.ts";
import type { HelmDeployInputs } from "./inputs.ts";

/** Before anything is touched: an image that is not there cannot be deployed. @throws ActionError `IMAGE_NOT_FOUND` */
export async function requireImage(registry: RegistryClient, image: ImageReference): Promise<void> {
  if (await registry.getManifest(image.digest)) return;
  throw new ActionError("IMAGE_NOT_FOUND", {
    message: `image ${formatImage(image)} is not in the registry`,
    remedy: "pass the digest that build-scan pushed; if a retention policy removed it, build it again",
  });
}

type Conclusion = Pick<Deployment, "verdict" | "reason"> & { readonly remedy?: string };

/**
 * Appends the outcome to the image's evidence. A deployment without evidence cannot be promoted, so one whose evidence
 * cannot be stored is inconclusive.
 */
export async function recordDeployment(
  registry: RegistryClient,
  image: ImageReference,
  inputs: HelmDeployInputs,
  { verdict, reason, remedy, revision, rollout }: Deployment,
  context: ActionContext,
): Promise<Conclusion> {
  const diagnosis = rollout.ended === "badly" ? rollout.diagnosis : undefined;
  const conclusion = { verdict, reason, ...(remedy === undefined ? {} : { remedy }) };
  try {
    await record(registry, image, inputs, conclusion, context, {
      revision: revision?.revision,
      chart: revision?.chart,
      diagnosis: diagnosis && { cause: diagnosis.cause, sentence: diagnosis.sentence, evidence: diagnosis.evidence },
    });
    return conclusion;
  } catch (error) {
    context.signal.throwIfAborted();
    const { message, remedy } = toActionError(error);
    const without: Verdict = verdict === "fail" ? "fail" : "inconclusive";
    return { verdict: without, reason: `${reason}; but the evidence could not be stored: ${message}`, remedy };
  }
}

/** A run that could not come to an end says nothing about the image: it is recorded as inconclusive, if it can be. */
export async function recordInterruption(
  registry: RegistryClient,
  image: ImageReference,
  inputs: HelmDeployInputs,
  thrown: unknown,
  context: ActionContext,
): Promise<void> {
  if (context.signal.aborted) return;
  const { code, message } = toActionError(thrown);
  const conclusion = { verdict: "inconclusive" as const, reason: message };
  await record(registry, image, inputs, conclusion, context, { code }).catch((error: Error) => {
    context.log.line(`the evidence could not be stored: ${error.message}`);
  });
}

async function record(
  registry: RegistryClient,
  image: ImageReference,
  { environment, release, namespace, operation, "model-version": modelVersion }: HelmDeployInputs,
  { verdict, reason }: Conclusion,
  context: ActionContext,
  more: Readonly<Record<string, unknown>>,
): Promise<void> {
  const details = { operation, release, namespace, modelVersion, ...more };
  await recordFinding(registry, image, { stage: "helm-deploy", environment, verdict, reason, details }, context);
}

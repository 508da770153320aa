import type { PolicyDecision } from "../../shared/src/evidence/promotion-policy.ts";
import { formatImage, type ImageReference } from "../../shared/src/oci/reference.ts";
import { monospace, table } from "../../shared/src/report/markdown.ts";
import type { ModelVersion } from "./model.ts";

/** The evidence as it was judged: a row for each stage that the policy requires. */
export function reportDecision(
  image: ImageReference,
  model: ModelVersion | undefined,
  decision: PolicyDecision,
): string {
  const findings = decision.findings.map(({ stage, verdict, reason, finishedAt }) => [
    stage,
    verdict,
    reason,
    finishedAt ?? "",
  ]);
  return reportImage(image, model) + table(["required stage", "verdict", "reason", "when (UTC)"], findings);
}

export function reportImage(image: ImageReference, model: ModelVersion | undefined): string {
  return table(
    ["image", "model"],
    [[monospace(formatImage(image)), model ? `${model.name} version ${model.version}` : "none recorded"]],
  );
}

export interface PromotionRecord {
  readonly image: ImageReference;
  readonly model: ModelVersion | undefined;
  readonly environment: string;
  readonly alias: string;
  readonly previousVersion: string | undefined;
}

export function reportRecord({ image, model, environment, alias, previousVersion }: PromotionRecord): string {
  const moved =
    model && alias ? `${alias}: version ${previousVersion ?? "(none)"} → version ${model.version}` : "no alias moved";
  return reportImage(image, model) + table(["environment", "model registry"], [[environment, moved]]);
}

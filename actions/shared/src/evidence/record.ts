import type { ActionContext } from "../action-runtime/action.ts";
import type { Verdict } from "../action-runtime/verdict.ts";
import type { ImageReference } from "../oci/reference.ts";
import type { RegistryClient } from "../oci/registry.ts";
import { runIdentity, type Stage, stageStatement } from "./statement.ts";
import { attachStatement } from "./store.ts";

export interface Finding {
  readonly stage: Stage;
  readonly environment?: string | undefined;
  readonly verdict: Verdict;
  readonly reason: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/**
 * Appends a stage's verdict to the evidence of an image. A failing verdict is recorded too: a digest that failed stays
 * failed, however the next workflow is wired.
 */
export async function recordFinding(
  registry: RegistryClient,
  image: ImageReference,
  finding: Finding,
  context: Pick<ActionContext, "clock" | "environment" | "redactor" | "log">,
): Promise<void> {
  const { stage, environment, verdict, reason, details } = finding;
  const statement = stageStatement(image, {
    stage,
    ...(environment === undefined ? {} : { environment }),
    verdict,
    reason: context.redactor.redact(reason),
    finishedAt: new Date(context.clock.now()).toISOString(),
    run: runIdentity(context.environment),
    details: JSON.parse(context.redactor.redact(JSON.stringify(details))) as Record<string, unknown>,
  });
  const attached = await attachStatement(registry, image, statement, context.clock);
  context.log.line(`evidence: ${stage} ${verdict}, attached to the image as ${attached}`);
}

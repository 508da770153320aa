import type { Action, ActionContext } from "../../shared/src/action-runtime/action.ts";
import { ActionError } from "../../shared/src/action-runtime/error.ts";
import type { StageResult } from "../../shared/src/action-runtime/verdict.ts";
import { decidePromotion } from "../../shared/src/evidence/promotion-policy.ts";
import { recordFinding } from "../../shared/src/evidence/record.ts";
import type { StageStatement } from "../../shared/src/evidence/statement.ts";
import { readStatements } from "../../shared/src/evidence/store.ts";
import { findCredentials } from "../../shared/src/oci/credentials.ts";
import { shortDigest } from "../../shared/src/oci/digest.ts";
import { formatImage, type ImageReference, parseRepository } from "../../shared/src/oci/reference.ts";
import { RegistryClient } from "../../shared/src/oci/registry.ts";
import { moveAlias } from "./alias.ts";
import { findCandidate } from "./candidate.ts";
import { inputs, type PromoteInputs } from "./inputs.ts";
import { type ModelVersion, modelVersionOf } from "./model.ts";
import { reportDecision, reportImage, reportRecord } from "./report.ts";

type Outputs = { image: string; "model-version": string; "previous-version": string };

/** Judges an image by its evidence before a deployment, and records the promotion after it. */
export const promote: Action<typeof inputs, Outputs> = {
  name: "promote",
  inputs,
  async run(given, context) {
    const repository = parseRepository(given.repository);
    const login = { username: given["registry-username"], password: given["registry-password"] };
    const credentials = await findCredentials(repository.registry, login, context.redactor, context.environment);
    const registry = new RegistryClient(repository, {
      credentials,
      signal: context.signal,
      redactor: context.redactor,
    });
    const image = await findCandidate(given, registry);
    context.log.line(`${given.operation} ${formatImage(image)}`);
    const statements = await readStatements(registry, image.digest, context.clock);
    const model = modelVersionOf(statements);
    if (given.operation === "find") return found(image, model);
    if (given.operation === "record") return record(given, { registry, image, model }, context);
    return judge(given, { registry, image, model }, statements, context);
  },
};

/** Applies the policy. A nominated image gets the tag by which a later manual promotion finds it. */
async function judge(
  given: PromoteInputs,
  { registry, image, model }: Promotion,
  statements: readonly StageStatement[],
  context: ActionContext,
): Promise<StageResult<Outputs>> {
  if (given.require.length === 0)
    throw new ActionError("INPUT_INVALID", {
      message: "input 'require' is empty, which would let every image pass",
      remedy: "name the stages that must have passed; leave the input out for the default",
    });
  checkModel(given, { registry, image, model });
  const policy = { require: given.require, environment: given["evidence-environment"] };
  const decision = decidePromotion(image.digest, statements, policy);
  const passed = decision.verdict === "pass";
  const nominated = passed && given.operation === "nominate" && given.tag !== undefined;
  if (nominated) {
    await registry.tagManifest(image.digest, given.tag);
    context.log.line(`${given.tag} names ${formatImage(image)} from now on`);
  }
  return {
    verdict: decision.verdict,
    reason: nominated ? `${decision.reason}; it is the ${given.tag} for production` : decision.reason,
    ...(decision.remedy === undefined ? {} : { remedy: decision.remedy }),
    outputs: outputs(passed ? image : undefined, model),
    summary: reportDecision(image, model, decision),
  };
}

function outputs(image: ImageReference | undefined, model: ModelVersion | undefined, previous?: string): Outputs {
  return {
    image: image ? formatImage(image) : "",
    "model-version": model?.version ?? "",
    "previous-version": previous ?? "",
  };
}

function found(image: ImageReference, model: ModelVersion | undefined): StageResult<Outputs> {
  const what = model ? `${model.name} version ${model.version}` : "no model version";
  return {
    verdict: "pass",
    reason: `digest ${shortDigest(image.digest)} has ${what} on record`,
    outputs: outputs(image, model),
    summary: reportImage(image, model),
  };
}

interface Promotion {
  readonly registry: RegistryClient;
  readonly image: ImageReference;
  readonly model: ModelVersion | undefined;
}

/** The alias first: if that fails, the ledger does not claim what is not so, and a re-run does both. */
async function record(
  given: PromoteInputs,
  promotion: Promotion,
  context: ActionContext,
): Promise<StageResult<Outputs>> {
  const { registry, image, model } = promotion;
  const alias = given.alias ?? "";
  checkModel(given, promotion);
  const moves = given.model !== undefined && alias !== "";
  const previousVersion = model && moves ? await moveAlias(given, alias, model, context) : undefined;
  const what = model ? `${model.name} version ${model.version}` : `digest ${shortDigest(image.digest)}`;
  const reason = `${what} is in ${given.environment}`;
  const details = { model, alias: moves ? alias : undefined, previousVersion };
  const finding = { stage: "promote", environment: given.environment, verdict: "pass", reason, details } as const;
  await recordFinding(registry, image, finding, context);
  return {
    verdict: "pass",
    reason: model && moves ? `${reason}; ${describeMove(alias, model.version, previousVersion)}` : reason,
    outputs: outputs(image, model, previousVersion),
    summary: reportRecord({ image, model, environment: given.environment, alias: moves ? alias : "", previousVersion }),
  };
}

function describeMove(alias: string, version: string, previous: string | undefined): string {
  return previous === version
    ? `alias ${alias} named it already`
    : `alias ${alias} moved from ${previous ?? "nothing"}`;
}

/** @throws ActionError `MODEL_OTHER` when the image holds another model than the one whose alias is to move. */
function checkModel(given: PromoteInputs, { image, model }: Promotion): void {
  if (given.model === undefined || model === undefined || model.name === given.model) return;
  throw new ActionError("MODEL_OTHER", {
    message: `${formatImage(image)} holds model '${model.name}', not '${given.model}'`,
    remedy: "promote an image of this model, or correct input `model`",
  });
}

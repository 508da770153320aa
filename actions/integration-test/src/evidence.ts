import type { ActionContext } from "../../shared/src/action-runtime/action.ts";
import { toActionError } from "../../shared/src/action-runtime/error.ts";
import type { Verdict } from "../../shared/src/action-runtime/verdict.ts";
import { recordFinding } from "../../shared/src/evidence/record.ts";
import { findCredentials } from "../../shared/src/oci/credentials.ts";
import type { ImageReference } from "../../shared/src/oci/reference.ts";
import { RegistryClient } from "../../shared/src/oci/registry.ts";
import type { IntegrationTestInputs } from "./inputs.ts";
import type { Settings } from "./settings.ts";

/** The image that the tests speak of, with a way to its registry. */
export interface Subject {
  readonly image: ImageReference;
  readonly environment: string;
  readonly registry: RegistryClient;
}

export async function openSubject(
  subject: Settings["subject"],
  given: IntegrationTestInputs,
  { redactor, signal }: ActionContext,
): Promise<Subject | undefined> {
  if (!subject) return undefined;
  const account = { username: given["registry-username"], password: given["registry-password"] };
  const credentials = await findCredentials(subject.image.registry, account, redactor);
  return { ...subject, registry: new RegistryClient(subject.image, { credentials, signal, redactor }) };
}

export interface Conclusion {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly remedy?: string;
}

/**
 * Appends the outcome to the image's evidence. A pass that leaves no evidence cannot be promoted on, so it is inconclusive.
 */
export async function recordTests(
  subject: Subject | undefined,
  conclusion: Conclusion,
  details: Readonly<Record<string, unknown>>,
  context: ActionContext,
): Promise<Conclusion> {
  if (!subject) {
    context.log.line("no `image` was given, so no evidence is recorded");
    return conclusion;
  }
  const { registry, image, environment } = subject;
  const { verdict, reason } = conclusion;
  try {
    await recordFinding(registry, image, { stage: "integration-test", environment, verdict, reason, details }, context);
    return conclusion;
  } catch (error) {
    context.signal.throwIfAborted();
    const { message, remedy } = toActionError(error);
    const without = verdict === "fail" ? "fail" : "inconclusive";
    return { verdict: without, reason: `${reason}; but the evidence could not be stored: ${message}`, remedy };
  }
}

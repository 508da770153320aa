import { ActionError } from "../../shared/src/action-runtime/error.ts";
import type { DownloadInputs } from "./inputs.ts";

/** Which model is wanted: a registered version, or the artifact of a run. */
export type Selection =
  | { readonly kind: "version"; readonly model: string; readonly version: string }
  | { readonly kind: "run"; readonly runId: string; readonly artifact: string };

/** @throws ActionError `INPUT_INVALID` unless exactly one of the two ways is used. */
export function selectModel(inputs: DownloadInputs): Selection {
  const { model, version, "run-id": runId, artifact } = inputs;
  const registered = model !== undefined || version !== undefined;
  if (runId === undefined && model !== undefined && version !== undefined) return { kind: "version", model, version };
  if (!registered && runId !== undefined) return { kind: "run", runId, artifact };
  throw new ActionError("INPUT_INVALID", {
    message: describeProblem(inputs),
    remedy: "pass model and version (outputs of mlflow-register), or run-id and artifact (outputs of train)",
  });
}

function describeProblem({ model, version, "run-id": runId }: DownloadInputs): string {
  if (model === undefined && version === undefined)
    return "no model is named: none of the inputs 'model', 'version' and 'run-id' was given";
  if (runId !== undefined) return "input 'run-id' was given beside 'model' or 'version', which name another model";
  const [missing, given] = model === undefined ? ["model", "version"] : ["version", "model"];
  return `input '${missing}' is required beside '${given}' and was not given`;
}

/** For people. */
export function describeSelection(selection: Selection): string {
  return selection.kind === "version"
    ? `version ${selection.version} of model '${selection.model}'`
    : `'${selection.artifact}' of run ${selection.runId}`;
}

import type { ActionContext } from "../../shared/src/action-runtime/action.ts";
import { ActionError } from "../../shared/src/action-runtime/error.ts";
import { MlflowApi } from "../../shared/src/mlflow/api.ts";
import { mlflowConnection } from "../../shared/src/mlflow/connection.ts";
import { findVersion, findVersionByAlias, setAlias } from "../../shared/src/mlflow/registered-models.ts";
import type { PromoteInputs } from "./inputs.ts";
import type { ModelVersion } from "./model.ts";

/**
 * Lets the alias name the promoted version. Returns the version that it named before, or undefined. Moving it to where it
 * is already changes nothing, so a re-run is harmless.
 *
 * @throws ActionError `MODEL_VERSION_NOT_FOUND`, `MLFLOW_…`, `INPUT_INVALID`
 */
export async function moveAlias(
  given: PromoteInputs,
  alias: string,
  model: ModelVersion,
  context: ActionContext,
): Promise<string | undefined> {
  const address = given["mlflow-tracking-uri"];
  if (address === undefined)
    throw new ActionError("INPUT_INVALID", {
      message: `alias '${alias}' of model '${model.name}' is to move, but input 'mlflow-tracking-uri' was not given`,
      remedy: "pass the address of the MLflow server, or leave out `alias`",
    });
  const connection = mlflowConnection({ ...given, "mlflow-tracking-uri": address }, context.redactor);
  const api = new MlflowApi(connection, context);
  if ((await findVersion(api, model.name, model.version)) === undefined)
    throw new ActionError("MODEL_VERSION_NOT_FOUND", {
      message: `MLflow has no version ${model.version} of model '${model.name}', which the image's evidence names`,
      remedy: "restore the version, or promote another digest; an alias cannot name a version that is gone",
    });
  const before = await findVersionByAlias(api, model.name, alias);
  if (before?.version !== model.version) await setAlias(api, model.name, alias, model.version);
  context.log.line(`alias ${alias} of ${model.name}: version ${before?.version ?? "(none)"} → ${model.version}`);
  return before?.version;
}

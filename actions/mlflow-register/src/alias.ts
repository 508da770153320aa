import type { MlflowApi } from "../../shared/src/mlflow/api.ts";
import { findVersionByAlias, type ModelVersion, setAlias } from "../../shared/src/mlflow/registered-models.ts";

export interface AliasOutcome {
  readonly alias: string;
  /** The version that the alias names now. */
  readonly version: string;
  readonly reason: string;
}

/**
 * Lets an alias name a version, unless it names a newer one: a job that is run again late does not move it backwards.
 * MLflow has no compare-and-swap, so the alias is read back, and set again where an older version won a race.
 */
export async function advanceAlias(api: MlflowApi, version: ModelVersion, alias: string): Promise<AliasOutcome> {
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    const now = (await findVersionByAlias(api, version.model, alias))?.version;
    if (now === version.version) return { alias, version: now, reason: `alias '${alias}' names it` };
    if (now !== undefined && Number(now) > Number(version.version))
      return { alias, version: now, reason: `alias '${alias}' stays at version ${now}, which is newer` };
    await setAlias(api, version.model, alias, version.version);
  }
  return { alias, version: version.version, reason: `alias '${alias}' names it` };
}

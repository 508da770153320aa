import type { Action, ActionContext } from "../../shared/src/action-runtime/action.ts";
import { ActionError } from "../../shared/src/action-runtime/error.ts";
import { MlflowApi } from "../../shared/src/mlflow/api.ts";
import { countFiles } from "../../shared/src/mlflow/artifacts.ts";
import { mlflowConnection } from "../../shared/src/mlflow/connection.ts";
import { digestFiles } from "../../shared/src/mlflow/download.ts";
import { type DigestedFile, filesDigest } from "../../shared/src/mlflow/files-digest.ts";
import { findModelFiles, requireRun } from "../../shared/src/mlflow/model-files.ts";
import {
  ensureModel,
  ensureVersion,
  type ModelVersion,
  setVersionTag,
  versionPage,
} from "../../shared/src/mlflow/registered-models.ts";
import { filesDigestTag } from "../../shared/src/mlflow/version-tags.ts";
import { advanceAlias } from "./alias.ts";
import { inputs } from "./inputs.ts";
import { reportVersion } from "./report.ts";
import { versionDescription, versionTags } from "./version-record.ts";

type Outputs = Record<"version" | "model" | "model-uri" | "url" | "files-digest" | "run-id", string>;

/** Registers the model of a run as a version, with what is needed to know it again, and lets an alias name it. */
export const register: Action<typeof inputs, Outputs> = {
  name: "mlflow-register",
  inputs,
  async run(given, { environment, log, redactor, signal, clock }) {
    const api = new MlflowApi(mlflowConnection(given, redactor), { signal, clock });
    const run = await requireRun(api, given["run-id"]);
    if (run.status !== "FINISHED") throw unfinished(run.id, run.status);
    const found = await findModelFiles(api, run, given.artifact);
    const files = await digestFiles(api, found.folder, found.files);
    const digest = filesDigest(files);
    log.line(`${countFiles(files)} in ${found.folder.uri}, together ${digest}`);

    await ensureModel(api, given.model);
    const tags = versionTags(given, files, environment);
    const { version, created } = await ensureVersion(api, {
      model: given.model,
      source: found.source,
      runId: run.id,
      modelId: found.modelId,
      description: versionDescription(given, files, environment),
      tags,
    });
    log.line(
      `version ${version.version} of model '${given.model}' ${created ? "registered" : "was registered before"}`,
    );
    if (!created) await completeVersion(api, version, tags, files, log);
    const alias = await advanceAlias(api, version, given.alias);
    log.line(alias.reason);

    return {
      verdict: "pass",
      reason: `version ${version.version} of model '${given.model}' is ${created ? "registered" : "there already"}; ${alias.reason}`,
      outputs: {
        version: version.version,
        model: given.model,
        "model-uri": `models:/${given.model}/${version.version}`,
        url: versionPage(api, given.model, version.version),
        "files-digest": digest,
        "run-id": run.id,
      },
      summary: reportVersion(api, { version, run, alias, files, digest }),
    };
  },
};

/** A version that an earlier attempt made: its files must still be the same, and tags that it lacks are added. */
async function completeVersion(
  api: MlflowApi,
  version: ModelVersion,
  tags: Readonly<Record<string, string>>,
  files: readonly DigestedFile[],
  log: ActionContext["log"],
): Promise<void> {
  const recorded = version.tags[filesDigestTag];
  if (recorded !== undefined && recorded !== filesDigest(files))
    throw new ActionError("MODEL_CHANGED", {
      message: `the files of version ${version.version} of model '${version.model}' are not the ones that were registered: ${filesDigest(files)} instead of ${recorded}`,
      remedy: "train again, which makes a new run; do not overwrite the artifacts of a run that is registered",
    });
  for (const [key, value] of Object.entries(tags)) {
    if (version.tags[key] !== undefined) continue;
    log.line(`adding tag ${key}`);
    await setVersionTag(api, version, { key, value });
  }
}

function unfinished(id: string, status: string): ActionError {
  return new ActionError("RUN_NOT_FINISHED", {
    message: `run ${id} is ${status}, not FINISHED`,
    remedy: "register a run whose training ended well; see the run's page in MLflow for why this one did not",
  });
}

import { ActionError } from "../action-runtime/error.ts";
import type { MlflowApi } from "./api.ts";
import { type ArtifactFile, type ArtifactFolder, artifactFolder, listFiles } from "./artifacts.ts";
import { versionLocation } from "./registered-models.ts";
import { findRun, type Run } from "./runs.ts";

/** The files of a model, found where a run or a version keeps them. */
export interface ModelFiles {
  readonly folder: ArtifactFolder;
  /** At least one. */
  readonly files: readonly ArtifactFile[];
  /** What a model version is registered with. */
  readonly source: string;
  /** Of the model that MLflow 3's `log_model` made; absent for a plain folder of artifacts. */
  readonly modelId?: string;
}

/** @throws ActionError `MLFLOW_RUN_NOT_FOUND` */
export async function requireRun(api: MlflowApi, id: string): Promise<Run> {
  const run = await findRun(api, id);
  if (run && !run.deleted) return run;
  throw new ActionError("MLFLOW_RUN_NOT_FOUND", {
    message: run ? `run ${id} was deleted in MLflow` : `MLflow has no run '${id.slice(0, 80)}'`,
    remedy: "pass the output run-id of the train action, from a run on the same MLflow server",
  });
}

/**
 * A run's model: the artifact folder of that name, or else the model that `mlflow.<flavour>.log_model(name=…)` made in the
 * run, whose files MLflow 3 keeps beside the run.
 *
 * @throws ActionError `MLFLOW_MODEL_MISSING`
 */
export async function findModelFiles(api: MlflowApi, run: Run, artifact: string): Promise<ModelFiles> {
  const folder = artifactFolder(api, run.artifactUri, artifact);
  const files = await listFiles(api, folder);
  if (files.length > 0) return { folder, files, source: folder.uri };
  const logged = await findLoggedModel(api, run, artifact);
  if (logged) return logged;
  throw new ActionError("MLFLOW_MODEL_MISSING", {
    message: `run ${run.id} has no artifact folder '${artifact}' and logged no model of that name`,
    remedy: `log the model's files below '${artifact}' (mlflow.log_artifact(file, "${artifact}")), or name their folder with \`artifact\``,
  });
}

interface LoggedModel {
  readonly info: { readonly model_id: string; readonly name: string; readonly artifact_uri: string };
}

/** The last of them, where several steps of the run logged one. */
async function findLoggedModel(api: MlflowApi, run: Run, name: string): Promise<ModelFiles | undefined> {
  for (const id of run.modelIds.toReversed()) {
    const answer = await api.get<{ model: LoggedModel }>(
      `mlflow/logged-models/${encodeURIComponent(id)}`,
      {},
      { what: `read logged model ${id}`, unless: ["RESOURCE_DOES_NOT_EXIST"] },
    );
    if (answer?.model.info.name !== name) continue;
    const folder = artifactFolder(api, answer.model.info.artifact_uri);
    const files = await listFiles(api, folder);
    if (files.length > 0) return { folder, files, source: `models:/${id}`, modelId: id };
  }
  return undefined;
}

/** A version's files, wherever its source says. @throws ActionError `MLFLOW_MODEL_MISSING` */
export async function findVersionFiles(api: MlflowApi, model: string, version: string): Promise<ModelFiles> {
  const location = await versionLocation(api, model, version);
  const ofRun = /^runs:\/([^/]+)\/(.+)$/.exec(location);
  if (ofRun) return findModelFiles(api, await requireRun(api, ofRun[1] ?? ""), ofRun[2] ?? "");
  const folder = artifactFolder(api, location);
  const files = await listFiles(api, folder);
  if (files.length > 0) return { folder, files, source: location };
  throw new ActionError("MLFLOW_MODEL_MISSING", {
    message: `version ${version} of model '${model}' points at ${folder.uri}, where there are no files`,
    remedy: "register it again from a run whose artifacts are still there",
  });
}

import type { Action } from "../../shared/src/action-runtime/action.ts";
import { ActionError } from "../../shared/src/action-runtime/error.ts";
import { MlflowApi } from "../../shared/src/mlflow/api.ts";
import { countFiles } from "../../shared/src/mlflow/artifacts.ts";
import { mlflowConnection } from "../../shared/src/mlflow/connection.ts";
import { digestLocalFiles, downloadFiles } from "../../shared/src/mlflow/download.ts";
import { filesDigest } from "../../shared/src/mlflow/files-digest.ts";
import { findModelFiles, findVersionFiles, type ModelFiles, requireRun } from "../../shared/src/mlflow/model-files.ts";
import { findVersion } from "../../shared/src/mlflow/registered-models.ts";
import { filesDigestTag } from "../../shared/src/mlflow/version-tags.ts";
import { resolveDestination } from "./destination.ts";
import { inputs } from "./inputs.ts";
import { reportDownload } from "./report.ts";
import { describeSelection, type Selection, selectModel } from "./selection.ts";

/** Places the files of a model in the workspace, for the image build, after their digest was found to be the right one. */
export const download: Action<typeof inputs, { path: string; "files-digest": string }> = {
  name: "mlflow-download",
  inputs,
  async run(given, { environment, log, redactor, signal, clock }) {
    const workspace = environment.GITHUB_WORKSPACE ?? ".";
    const selection = selectModel(given);
    const { folder, path } = await resolveDestination(workspace, given.path);
    const api = new MlflowApi(mlflowConnection(given, redactor), { signal, clock });
    const { found, recorded } = await find(api, selection);
    const what = describeSelection(selection);
    const bytes = found.files.reduce((sum, { size }) => sum + size, 0);
    assertSize(what, bytes, given["max-size"]);
    const expected = given["files-digest"] ?? recorded;
    if (expected === undefined)
      log.annotate("warning", "mlflow-download", `no digest is known for ${what}, so its files are taken as they come`);

    const present = await digestLocalFiles(folder);
    const isThere = expected !== undefined && present !== undefined && filesDigest(present) === expected;
    if (!isThere) log.line(`${what}: ${countFiles(found.files)}, ${bytes} bytes, from ${found.folder.uri}`);
    const files = isThere
      ? present
      : await downloadFiles(api, found.folder, found.files, folder, (received) =>
          assertDigest(what, filesDigest(received), expected, given["files-digest"] !== undefined),
        );
    const digest = filesDigest(files);
    const checked = expected === undefined ? "; no digest to compare with" : ", with the digest that is recorded";
    return {
      verdict: "pass",
      reason: `${what} is in ${path} (${countFiles(files)}, ${bytes} bytes)${checked}`,
      outputs: { path, "files-digest": digest },
      summary: reportDownload(files, digest),
    };
  },
};

async function find(
  api: MlflowApi,
  selection: Selection,
): Promise<{ readonly found: ModelFiles; readonly recorded: string | undefined }> {
  if (selection.kind === "run") {
    const run = await requireRun(api, selection.runId);
    return { found: await findModelFiles(api, run, selection.artifact), recorded: undefined };
  }
  const { model, version } = selection;
  const registered = await findVersion(api, model, version);
  if (registered === undefined)
    throw new ActionError("MLFLOW_VERSION_NOT_FOUND", {
      message: `MLflow has no version ${version} of model '${model}'`,
      remedy: "pass the outputs model and version of mlflow-register, from a run on the same MLflow server",
    });
  return { found: await findVersionFiles(api, model, version), recorded: registered.tags[filesDigestTag] };
}

function assertSize(what: string, bytes: number, megabytes: number): void {
  if (bytes <= megabytes * 1_000_000) return;
  throw new ActionError("MODEL_TOO_LARGE", {
    message: `${what} has ${bytes} bytes, above the limit of ${megabytes} MB`,
    remedy: "raise max-size, and check that the runner has room for it",
  });
}

function assertDigest(what: string, actual: string, expected: string | undefined, given: boolean): void {
  if (expected === undefined || actual === expected) return;
  throw new ActionError("MODEL_CHANGED", {
    message: `the files of ${what} have digest ${actual}, not ${expected} as ${given ? "the input files-digest" : "the version's tag"} says`,
    remedy: "do not build from them: the artifacts were changed after they were registered; train and register again",
  });
}

import { type DigestedFile, filesDigest } from "../../shared/src/mlflow/files-digest.ts";
import { filesDigestTag, filesTag } from "../../shared/src/mlflow/version-tags.ts";
import { workflowRunPage, workflowTags } from "../../shared/src/mlflow/workflow-run.ts";
import { shortDigest } from "../../shared/src/oci/digest.ts";
import type { RegisterInputs } from "./inputs.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** MLflow's longest value of a version's tag: mlflow/utils/validation.py, MAX_MODEL_REGISTRY_TAG_VALUE_LENGTH. */
const longestTag = 100_000;

/**
 * The tags of a version: who made it, what its files are, and the tags that the input names, which win. The list of files
 * is left out where MLflow could not keep it; the digest over all of them is always there.
 */
export function versionTags(
  inputs: RegisterInputs,
  files: readonly DigestedFile[],
  environment: Environment,
): Record<string, string> {
  const list = JSON.stringify(files);
  return {
    ...workflowTags(environment),
    ...inputs.tags,
    [filesDigestTag]: filesDigest(files),
    ...(list.length <= longestTag ? { [filesTag]: list } : {}),
  };
}

/** What MLflow's page shows first. */
export function versionDescription(
  inputs: RegisterInputs,
  files: readonly DigestedFile[],
  environment: Environment,
): string {
  if (inputs.description !== undefined) return inputs.description;
  const { GITHUB_SHA: commit = "", GITHUB_REPOSITORY: repository = "" } = environment;
  const from = commit === "" ? "" : ` from commit ${commit}${repository === "" ? "" : ` of ${repository}`}`;
  const by = workflowRunPage(environment);
  const digest = shortDigest(filesDigest(files));
  return `Trained by run ${inputs["run-id"]}${from}${by === "" ? "" : `, registered by ${by}`}. Files ${digest}.`;
}

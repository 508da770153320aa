import type { MlflowApi } from "./api.ts";
import { filterLiteral } from "./filter.ts";
import { createOnce } from "./once.ts";
import { type Entry, fromEntries, toEntries } from "./tags.ts";

/** A version of a registered model. */
export interface ModelVersion {
  readonly model: string;
  /** A whole number, as text. */
  readonly version: string;
  /** Where its files are, as it was registered: an artifact URI, `runs:/…` or `models:/m-…`. */
  readonly source: string;
  /** Empty where it was registered without a run. */
  readonly runId: string;
  readonly description: string;
  readonly status: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Only filled by `findVersion` and `findVersionByAlias`. */
  readonly aliases: readonly string[];
}

interface RawVersion {
  readonly name: string;
  readonly version: string;
  readonly source?: string;
  readonly run_id?: string;
  readonly description?: string;
  readonly status?: string;
  readonly tags?: readonly Entry[];
  readonly aliases?: readonly string[];
}

export interface NewVersion {
  readonly model: string;
  readonly source: string;
  readonly runId: string;
  /** Of the model that `log_model` made, where there is one. */
  readonly modelId?: string | undefined;
  readonly description: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** Creates a registered model unless there is one of that name. */
export async function ensureModel(api: MlflowApi, name: string): Promise<void> {
  const body = { name };
  const options = { what: `create registered model '${name}'`, repeatable: true };
  await api.post("mlflow/registered-models/create", body, { ...options, unless: ["RESOURCE_ALREADY_EXISTS"] });
}

/** Every version of a model that came from one run, oldest first. */
export async function searchVersions(api: MlflowApi, model: string, runId: string): Promise<ModelVersion[]> {
  const filter = `name = ${filterLiteral(model)} and run_id = ${filterLiteral(runId)}`;
  const found: ModelVersion[] = [];
  let token: string | undefined;
  do {
    const answer = await api.get<{ model_versions?: RawVersion[]; next_page_token?: string }>(
      "mlflow/model-versions/search",
      { filter, max_results: 200, page_token: token },
      { what: `search the versions of model '${model}'` },
    );
    found.push(...(answer.model_versions ?? []).map(toVersion));
    token = answer.next_page_token || undefined;
  } while (token !== undefined);
  return found.sort((a, b) => Number(a.version) - Number(b.version));
}

/**
 * The version of that run and source, created where there is none, so that a job that is run again finds the version that
 * it made. Of two jobs that create at the same time, both take the lower version.
 */
export async function ensureVersion(
  api: MlflowApi,
  wanted: NewVersion,
): Promise<{ readonly version: ModelVersion; readonly created: boolean }> {
  const find = async () => {
    const versions = await searchVersions(api, wanted.model, wanted.runId);
    return versions.find(({ source, status }) => source === wanted.source && status !== "FAILED_REGISTRATION");
  };
  const existing = await find();
  if (existing) return { version: existing, created: false };
  const made = await createOnce(api, () => createVersion(api, wanted), find);
  const version = (await find()) ?? made;
  return { version, created: version.version === made.version };
}

async function createVersion(api: MlflowApi, wanted: NewVersion): Promise<ModelVersion> {
  const { model_version } = await api.post<{ model_version: RawVersion }>(
    "mlflow/model-versions/create",
    {
      name: wanted.model,
      source: wanted.source,
      run_id: wanted.runId,
      description: wanted.description,
      tags: toEntries(wanted.tags),
      ...(wanted.modelId === undefined ? {} : { model_id: wanted.modelId }),
    },
    { what: `create a version of model '${wanted.model}'` },
  );
  return toVersion(model_version);
}

/** One version, or undefined. */
export async function findVersion(api: MlflowApi, model: string, version: string): Promise<ModelVersion | undefined> {
  const answer = await api.get<{ model_version: RawVersion }>(
    "mlflow/model-versions/get",
    { name: model, version },
    { what: `read version ${version} of model '${model}'`, unless: ["RESOURCE_DOES_NOT_EXIST"] },
  );
  return answer && toVersion(answer.model_version);
}

/** The version that an alias names, or undefined. MLflow answers an unknown alias with INVALID_PARAMETER_VALUE. */
export async function findVersionByAlias(
  api: MlflowApi,
  model: string,
  alias: string,
): Promise<ModelVersion | undefined> {
  const answer = await api.get<{ model_version: RawVersion }>(
    "mlflow/registered-models/alias",
    { name: model, alias },
    {
      what: `read alias '${alias}' of model '${model}'`,
      unless: ["RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"],
    },
  );
  return answer && toVersion(answer.model_version);
}

/** Lets an alias name a version, whatever it named before. MLflow has no compare-and-swap for it. */
export async function setAlias(api: MlflowApi, model: string, alias: string, version: string): Promise<void> {
  const body = { name: model, alias, version };
  await api.post("mlflow/registered-models/alias", body, { what: `set alias '${alias}'`, repeatable: true });
}

export async function setVersionTag(
  api: MlflowApi,
  of: Pick<ModelVersion, "model" | "version">,
  tag: Entry,
): Promise<void> {
  const body = { name: of.model, version: of.version, key: tag.key, value: tag.value };
  const what = `tag version ${of.version} of model '${of.model}' with ${tag.key}`;
  await api.post("mlflow/model-versions/set-tag", body, { what, repeatable: true });
}

/** Where the files of a version are stored. */
export async function versionLocation(api: MlflowApi, model: string, version: string): Promise<string> {
  const what = `say where version ${version} of model '${model}' is stored`;
  const answer = await api.get<{ artifact_uri: string }>(
    "mlflow/model-versions/get-download-uri",
    { name: model, version },
    { what },
  );
  return answer.artifact_uri;
}

/** The page of a version in MLflow's own web pages. */
export function versionPage(api: MlflowApi, model: string, version: string): string {
  return `${api.connection.address}/#/models/${encodeURIComponent(model)}/versions/${version}`;
}

function toVersion(raw: RawVersion): ModelVersion {
  return {
    model: raw.name,
    version: raw.version,
    source: raw.source ?? "",
    runId: raw.run_id ?? "",
    description: raw.description ?? "",
    status: raw.status ?? "READY",
    tags: fromEntries(raw.tags),
    aliases: raw.aliases ?? [],
  };
}

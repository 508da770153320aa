import { randomUUID } from "node:crypto";
import type { MlflowApi } from "./api.ts";
import { filterLiteral } from "./filter.ts";
import { createOnce } from "./once.ts";
import { type Entry, fromEntries, toEntries } from "./tags.ts";

export type RunStatus = "RUNNING" | "SCHEDULED" | "FINISHED" | "FAILED" | "KILLED";

/** A run of MLflow, with its lists as records. */
export interface Run {
  readonly id: string;
  readonly experimentId: string;
  readonly name: string;
  readonly status: RunStatus;
  readonly deleted: boolean;
  readonly artifactUri: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, string>>;
  /** Last value of each metric. NaN is possible. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Ids of the models that MLflow 3's `log_model` made in this run, the last step's last. */
  readonly modelIds: readonly string[];
}

interface RawRun {
  readonly info: {
    readonly run_id: string;
    readonly experiment_id: string;
    readonly run_name?: string;
    readonly status: RunStatus;
    readonly lifecycle_stage: string;
    readonly artifact_uri: string;
  };
  readonly data?: {
    readonly tags?: readonly Entry[];
    readonly params?: readonly Entry[];
    readonly metrics?: readonly Entry<number | string>[];
  };
  readonly outputs?: { readonly model_outputs?: readonly { readonly model_id: string; readonly step?: number }[] };
}

export interface NewRun {
  readonly experimentId: string;
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** A tag that is unique to one creation, by which a run is found again when the answer to its creation got lost. */
export const creationKeyTag = "mlops-actions.creation-key";

/** Starts a run, once: see `createOnce`. */
export async function createRun(
  api: MlflowApi,
  { experimentId, name, tags }: NewRun,
  key = randomUUID(),
): Promise<Run> {
  const filter = `tags.\`${creationKeyTag}\` = ${filterLiteral(key)}`;
  return createOnce(
    api,
    async () => {
      const { run } = await api.post<{ run: RawRun }>(
        "mlflow/runs/create",
        {
          experiment_id: experimentId,
          run_name: name,
          start_time: api.clock.now(),
          tags: toEntries({ ...tags, [creationKeyTag]: key }),
        },
        { what: `start a run in experiment ${experimentId}` },
      );
      return toRun(run);
    },
    async () => (await searchRuns(api, experimentId, filter))[0],
  );
}

/** A run, or undefined. */
export async function findRun(api: MlflowApi, id: string): Promise<Run | undefined> {
  const answer = await api.get<{ run: RawRun }>(
    "mlflow/runs/get",
    { run_id: id },
    { what: `read run ${id}`, unless: ["RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"] },
  );
  return answer && toRun(answer.run);
}

/** The newest runs of an experiment that a filter finds, at most `limit`. Deleted ones are left out. */
export async function searchRuns(api: MlflowApi, experimentId: string, filter: string, limit = 100): Promise<Run[]> {
  const body = { experiment_ids: [experimentId], filter, max_results: limit, order_by: ["attributes.start_time DESC"] };
  const answer = await api.post<{ runs?: RawRun[] }>("mlflow/runs/search", body, {
    what: `search experiment ${experimentId}`,
    repeatable: true,
  });
  return (answer.runs ?? []).map(toRun);
}

/** Sets the status of a run, and its end unless it goes on. */
export async function setRunStatus(api: MlflowApi, id: string, status: RunStatus): Promise<void> {
  const end = status === "RUNNING" || status === "SCHEDULED" ? {} : { end_time: api.clock.now() };
  await api.post("mlflow/runs/update", { run_id: id, status, ...end }, { what: `mark run ${id}`, repeatable: true });
}

export async function setRunTag(api: MlflowApi, id: string, key: string, value: string): Promise<void> {
  const body = { run_id: id, key, value: value.slice(0, 8_000) };
  await api.post("mlflow/runs/set-tag", body, { what: `tag run ${id} with ${key}`, repeatable: true });
}

/** MLflow's limits for one batch: mlflow/utils/validation.py, MAX_PARAMS_TAGS_PER_BATCH and MAX_PARAM_VAL_LENGTH. */
const parametersPerBatch = 100;
const parameterLength = 6_000;

/** Logs parameters. MLflow refuses to change one that has another value already. */
export async function logParameters(
  api: MlflowApi,
  id: string,
  parameters: Readonly<Record<string, string>>,
): Promise<void> {
  const entries = Object.entries(parameters).map(([key, value]) => ({ key, value: value.slice(0, parameterLength) }));
  for (let from = 0; from < entries.length; from += parametersPerBatch) {
    const body = { run_id: id, params: entries.slice(from, from + parametersPerBatch) };
    await api.post("mlflow/runs/log-batch", body, { what: `log parameters to run ${id}`, repeatable: true });
  }
}

/** The page of a run in MLflow's own web pages. */
export function runPage(api: MlflowApi, run: Pick<Run, "id" | "experimentId">): string {
  return `${api.connection.address}/#/experiments/${run.experimentId}/runs/${run.id}`;
}

function toRun({ info, data, outputs }: RawRun): Run {
  const models = [...(outputs?.model_outputs ?? [])].sort((a, b) => (a.step ?? 0) - (b.step ?? 0));
  const metrics = (data?.metrics ?? []).map(({ key, value }) => ({ key, value: Number(value) }));
  return {
    id: info.run_id,
    experimentId: info.experiment_id,
    name: info.run_name ?? "",
    status: info.status,
    deleted: info.lifecycle_stage === "deleted",
    artifactUri: info.artifact_uri,
    tags: fromEntries(data?.tags),
    parameters: fromEntries(data?.params),
    metrics: fromEntries(metrics),
    modelIds: models.map(({ model_id }) => model_id),
  };
}

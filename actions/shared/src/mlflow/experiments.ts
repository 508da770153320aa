import { ActionError } from "../action-runtime/error.ts";
import type { MlflowApi } from "./api.ts";
import { createOnce } from "./once.ts";

export interface Experiment {
  readonly experiment_id: string;
  readonly name: string;
  readonly artifact_location: string;
  readonly lifecycle_stage: "active" | "deleted";
}

/** The experiment of that name, deleted ones too, or undefined. */
export async function findExperiment(api: MlflowApi, name: string): Promise<Experiment | undefined> {
  const answer = await api.get<{ experiment: Experiment }>(
    "mlflow/experiments/get-by-name",
    { experiment_name: name },
    { what: `look up experiment '${name}'`, unless: ["RESOURCE_DOES_NOT_EXIST"] },
  );
  return answer?.experiment;
}

/**
 * The experiment of that name, created where there is none. Another run may create it at the same time: then theirs is
 * taken, since names are unique.
 *
 * @throws ActionError `MLFLOW_EXPERIMENT_DELETED`
 */
export async function ensureExperiment(api: MlflowApi, name: string): Promise<Experiment> {
  const existing = await findExperiment(api, name);
  if (existing) return active(existing);
  const created = await createOnce(
    api,
    async () => {
      await api.post<unknown>(
        "mlflow/experiments/create",
        { name },
        { what: `create experiment '${name}'`, unless: ["RESOURCE_ALREADY_EXISTS"] },
      );
      return findExperiment(api, name);
    },
    () => findExperiment(api, name),
  );
  if (created) return active(created);
  throw new ActionError("MLFLOW_REFUSED", {
    message: `MLflow created experiment '${name}' and then did not find it`,
    remedy: "re-run the job; if it comes back, look at the MLflow server's database",
    blame: "inconclusive",
  });
}

function active(experiment: Experiment): Experiment {
  if (experiment.lifecycle_stage === "active") return experiment;
  throw new ActionError("MLFLOW_EXPERIMENT_DELETED", {
    message: `experiment '${experiment.name}' was deleted in MLflow, which keeps its name`,
    remedy: `restore it (mlflow experiments restore -x ${experiment.experiment_id}), or name another experiment`,
  });
}

import { basename } from "node:path";
import type { ActionContext } from "../../shared/src/action-runtime/action.ts";
import type { MlflowApi } from "../../shared/src/mlflow/api.ts";
import { artifactFolder, uploadFile } from "../../shared/src/mlflow/artifacts.ts";
import { ensureExperiment } from "../../shared/src/mlflow/experiments.ts";
import { filterLiteral } from "../../shared/src/mlflow/filter.ts";
import {
  createRun,
  logParameters,
  type Run,
  type RunStatus,
  searchRuns,
  setRunStatus,
  setRunTag,
} from "../../shared/src/mlflow/runs.ts";
import { workflowTags } from "../../shared/src/mlflow/workflow-run.ts";
import type { TrainInputs } from "./inputs.ts";
import { type Parameters, toPython } from "./parameters.ts";

type Environment = ActionContext["environment"];

/** Starts the run before anything is trained, so that a job that is killed leaves one that can be found. */
export async function beginRun(api: MlflowApi, inputs: TrainInputs, environment: Environment): Promise<Run> {
  const { experiment_id: experimentId } = await ensureExperiment(api, inputs.experiment);
  const tags = {
    ...workflowTags(environment),
    "mlflow.source.name": inputs.notebook,
    "mlflow.source.type": "NOTEBOOK",
    "mlflow.user": environment.GITHUB_ACTOR ?? "",
  };
  return createRun(api, { experimentId, name: runName(inputs.notebook, environment), tags });
}

/** Such as `pipeline #12`, or `pipeline #12, attempt 2`; outside a workflow the notebook's name. */
export function runName(notebook: string, environment: Environment): string {
  const { GITHUB_WORKFLOW: workflow, GITHUB_RUN_NUMBER: number, GITHUB_RUN_ATTEMPT: attempt = "1" } = environment;
  if (!workflow) return basename(notebook, ".ipynb");
  return `${workflow}${number ? ` #${number}` : ""}${attempt === "1" ? "" : `, attempt ${attempt}`}`;
}

/**
 * The runs that earlier attempts of the same workflow run left for this notebook, oldest first. An attempt only begins when
 * the one before has ended, so one that still says RUNNING was killed, and is marked so.
 */
export async function settleEarlierAttempts(api: MlflowApi, run: Run, environment: Environment): Promise<Run[]> {
  const workflowRun = environment.GITHUB_RUN_ID ?? "";
  const attempt = Number(environment.GITHUB_RUN_ATTEMPT ?? "1");
  if (workflowRun === "" || !(attempt > 1)) return [];
  const filter = [
    `tags.\`github.run_id\` = ${filterLiteral(workflowRun)}`,
    `tags.\`mlflow.source.name\` = ${filterLiteral(run.tags["mlflow.source.name"] ?? "")}`,
  ].join(" and ");
  const earlier = (await searchRuns(api, run.experimentId, filter))
    .filter(({ id, tags }) => id !== run.id && Number(tags["github.run_attempt"]) < attempt)
    .reverse();
  for (const { id, status } of earlier) if (status === "RUNNING") await setRunStatus(api, id, "KILLED");
  return earlier.map((old) => (old.status === "RUNNING" ? { ...old, status: "KILLED" as const } : old));
}

/** Logs the parameters that the notebook was given and did not log itself. */
export async function completeParameters(api: MlflowApi, run: Run, parameters: Parameters): Promise<void> {
  const missing = Object.entries(parameters).filter(([name]) => run.parameters[name] === undefined);
  await logParameters(api, run.id, Object.fromEntries(missing.map(([name, value]) => [name, toPython(value)])));
}

/** Keeps the executed notebook with the run. */
export async function keepNotebook(api: MlflowApi, run: Run, notebook: string, text: string): Promise<void> {
  const name = basename(notebook).replace(/[^\w.\- ]/g, "_");
  await uploadFile(api, artifactFolder(api, run.artifactUri, "notebook"), name, () => text);
}

/** Ends the run. The reason, where there is one, is on its page. */
export async function endRun(api: MlflowApi, run: Run, status: RunStatus, reason = ""): Promise<void> {
  await setRunStatus(api, run.id, status);
  if (reason !== "") await setRunTag(api, run.id, "mlflow.note.content", reason);
}

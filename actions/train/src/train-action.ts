import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Action, ActionContext } from "../../shared/src/action-runtime/action.ts";
import { ActionError, toActionError } from "../../shared/src/action-runtime/error.ts";
import type { StageResult } from "../../shared/src/action-runtime/verdict.ts";
import { MlflowApi } from "../../shared/src/mlflow/api.ts";
import { artifactFolder, countFiles } from "../../shared/src/mlflow/artifacts.ts";
import { mlflowConnection } from "../../shared/src/mlflow/connection.ts";
import { findModelFiles, requireRun } from "../../shared/src/mlflow/model-files.ts";
import { type Run, runPage } from "../../shared/src/mlflow/runs.ts";
import { inputs, type TrainInputs } from "./inputs.ts";
import { type Notebook, parametersCell, readNotebook } from "./notebook.ts";
import { notebookError } from "./notebook-error.ts";
import { type Executed, runNotebook } from "./papermill.ts";
import { preparePython } from "./python-environment.ts";
import { reportFailure, reportTraining } from "./report.ts";
import { readRequirements } from "./requirements.ts";
import { beginRun, completeParameters, endRun, keepNotebook, settleEarlierAttempts } from "./training-run.ts";

type Outputs = Record<"run-id" | "experiment-id" | "run-url" | "model-uri" | "metrics", string>;

/** Runs a notebook as one MLflow run: begins the run, runs the notebook in it, and ends it as the notebook ended. */
export const train: Action<typeof inputs, Outputs> = {
  name: "train",
  inputs,
  async run(given, context) {
    const { environment, log, redactor, signal, clock } = context;
    const workspace = environment.GITHUB_WORKSPACE ?? ".";
    const path = resolve(workspace, given.notebook);
    checkParameters(given, await openNotebook(path, given.notebook), context);
    const file = given.requirements && resolve(workspace, given.requirements);
    const requirements = file && {
      file: await readRequirements(file, given.requirements ?? ""),
      shown: given.requirements ?? "",
    };

    const connection = mlflowConnection(given, redactor);
    const api = new MlflowApi(connection, { signal, clock });
    const run = await beginRun(api, given, environment);
    log.line(`MLflow run ${run.id}: ${runPage(api, run)}`);
    const scratch = await mkdtemp(join(environment.RUNNER_TEMP ?? tmpdir(), "train-"));
    try {
      // Refuses, before anything is trained, a server whose artifacts could not be read afterwards.
      artifactFolder(api, run.artifactUri);
      const earlier = await settleEarlierAttempts(api, run, environment);
      for (const { id, status } of earlier)
        log.line(`an earlier attempt of this workflow run left run ${id}, ${status}`);
      const python = await preparePython(given.python, requirements || undefined, context);
      const executed = await runNotebook(
        {
          python,
          notebook: path,
          parameters: given.parameters,
          scratch,
          timeoutMilliseconds: given.timeout,
          environment: {
            ...connection.clientEnvironment,
            MLFLOW_RUN_ID: run.id,
            MLFLOW_EXPERIMENT_NAME: given.experiment,
            MLFLOW_EXPERIMENT_ID: undefined,
          },
        },
        context,
      );
      return await judge(api, run, given, executed, earlier, context);
    } catch (thrown) {
      return await endBadly(api, run, given, toActionError(signal.aborted ? signal.reason : thrown), context);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  },
};

async function openNotebook(path: string, shown: string): Promise<Notebook> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new ActionError("NOTEBOOK_NOT_FOUND", {
      message: `the notebook '${shown}' cannot be read in the checked-out repository`,
      remedy: "check out the repository in an earlier step, and name the notebook's path relative to the workspace",
      cause,
    });
  });
  const notebook = readNotebook(text);
  if (notebook) return notebook;
  throw new ActionError("NOTEBOOK_INVALID", {
    message: `'${shown}' is no Jupyter notebook: it is not JSON with a list of cells`,
    remedy: "save it again as a notebook of nbformat 4; merge conflicts inside it are a common cause",
  });
}

function checkParameters({ parameters }: TrainInputs, notebook: Notebook, { log }: ActionContext): void {
  if (Object.keys(parameters).length === 0 || parametersCell(notebook) >= 0) return;
  log.annotate("warning", "train", "the notebook has no cell tagged 'parameters': they are set before its first cell");
}

/** What the executed notebook means: a finished one must have left a model. */
async function judge(
  api: MlflowApi,
  run: Run,
  inputs: TrainInputs,
  executed: Executed,
  earlier: readonly Run[],
  context: ActionContext,
): Promise<StageResult<Outputs>> {
  const { log, redactor } = context;
  if (executed.text !== undefined) await keepNotebook(api, run, inputs.notebook, redactor.redact(executed.text));
  if (executed.outcome !== "finished")
    return endBadly(
      api,
      run,
      inputs,
      notebookError(inputs.notebook, executed, inputs.timeout),
      context,
      executed.failure?.traceback,
    );
  const ended = await requireRun(api, run.id);
  const model = await findModelFiles(api, ended, inputs.artifact);
  await completeParameters(api, ended, inputs.parameters);
  await endRun(api, ended, "FINISHED");
  const whole = await requireRun(api, run.id);
  log.line(`${countFiles(model.files)} in ${model.folder.uri}`);
  return {
    verdict: "pass",
    reason: `${inputs.notebook} ran to its end as run ${run.id} and logged ${countFiles(model.files)} below '${inputs.artifact}'`,
    outputs: outputsOf(api, whole, inputs),
    summary: reportTraining(api, whole, earlier),
  };
}

/** Marks the run with what went wrong; where MLflow itself is gone, that stays undone and is said. */
async function endBadly(
  api: MlflowApi,
  run: Run,
  inputs: TrainInputs,
  error: ActionError,
  { log, redactor, signal }: ActionContext,
  traceback: readonly string[] = [],
): Promise<StageResult<Outputs>> {
  const status = ["CANCELLED", "NOTEBOOK_TIMEOUT"].includes(error.code) ? "KILLED" : "FAILED";
  const last = signal.aborted ? api.forLastWord() : api;
  await endRun(last, run, status, redactor.redact(error.message)).catch((undone: unknown) =>
    log.line(`run ${run.id} could not be marked ${status}: ${toActionError(undone).message}`),
  );
  return {
    verdict: error.blame,
    reason: error.message,
    remedy: error.remedy,
    code: error.code,
    outputs: outputsOf(api, run, inputs),
    summary: reportFailure(api, { ...run, status }, traceback),
  };
}

function outputsOf(api: MlflowApi, run: Run, inputs: TrainInputs): Outputs {
  return {
    "run-id": run.id,
    "experiment-id": run.experimentId,
    "run-url": runPage(api, run),
    "model-uri": `runs:/${run.id}/${inputs.artifact}`,
    metrics: JSON.stringify(run.metrics, (_name, value) => (Number.isNaN(value) ? "NaN" : value)),
  };
}

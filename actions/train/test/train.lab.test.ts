import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, inject, it, vi } from "vitest";
import { MlflowApi } from "../../shared/src/mlflow/api.ts";
import { artifactFolder, listFiles } from "../../shared/src/mlflow/artifacts.ts";
import { requireRun } from "../../shared/src/mlflow/model-files.ts";
import { findVersion, findVersionByAlias } from "../../shared/src/mlflow/registered-models.ts";
import { runAction, runnerFolders, startAction } from "../../shared/test/action-process.ts";
import { notebookText } from "./notebooks.ts";

// The first run installs the example's packages; later ones find them in the cache.
vi.setConfig({ testTimeout: 900_000 });

const { mlflow } = inject("lab").addresses;
const api = new MlflowApi({ address: mlflow, clientEnvironment: {} });
const example = resolve(import.meta.dirname, "../../../examples/model-repository");
const cache =
  process.env.MLOPS_ACTIONS_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "mlops-actions");
const model = `digits-${process.pid}`;

const { workspace, environment: folders } = runnerFolders();
const environment = {
  ...folders,
  RUNNER_TOOL_CACHE: join(cache, "runner-tool-cache"),
  GITHUB_REPOSITORY: "acme/digits",
  GITHUB_RUN_ID: String(process.pid),
  GITHUB_SHA: "0123456789abcdef",
};
const server = { "mlflow-tracking-uri": mlflow };
const training = { ...server, experiment: model, requirements: "requirements.txt" };

beforeAll(() => {
  cpSync(example, workspace, { recursive: true });
});

/** Trains with a notebook of these cells. */
function train(cells: readonly string[], inputs: Readonly<Record<string, string>> = {}) {
  writeFileSync(join(workspace, "test.ipynb"), notebookText(...cells));
  return startAction("train", { ...training, notebook: "test.ipynb", ...inputs }, environment);
}

const logModel = `
import mlflow
from pathlib import Path
with mlflow.start_run():
    Path("weights.bin").write_bytes(b"w")
    mlflow.log_artifact("weights.bin", "model")`;

describe("the example's notebook, on a real MLflow server", () => {
  it("is trained, registered once, and downloaded byte for byte", async () => {
    const trained = await runAction(
      "train",
      { ...training, notebook: "train.ipynb", parameters: '{"seed": 7}' },
      environment,
    );
    expect(trained.outputs.verdict, trained.log).toBe("pass");
    expect(JSON.parse(trained.outputs.metrics ?? "").accuracy).toBeGreaterThan(0.95);
    const run = await requireRun(api, trained.outputs["run-id"] ?? "");
    expect(run).toMatchObject({ status: "FINISHED", parameters: { seed: "7" } });
    expect(run.tags["mlflow.source.git.commit"]).toBe("0123456789abcdef");
    expect((await listFiles(api, artifactFolder(api, run.artifactUri, "notebook"))).map(({ path }) => path)).toEqual([
      "train.ipynb",
    ]);

    const register = () =>
      runAction("mlflow-register", { ...server, "run-id": run.id, model, tags: "team=vision" }, environment);
    const [first, again] = [await register(), await register()];
    expect(first.outputs, first.log).toMatchObject({ verdict: "pass", version: "1" });
    expect(again.outputs).toMatchObject({ verdict: "pass", version: "1" });
    expect((await findVersionByAlias(api, model, "challenger"))?.version).toBe("1");
    expect((await findVersion(api, model, "1"))?.tags).toMatchObject({
      team: "vision",
      "mlops-actions.files-digest": first.outputs["files-digest"],
    });

    const version = { ...server, model, version: "1", path: "model" };
    const downloaded = await runAction("mlflow-download", version, environment);
    expect(downloaded.outputs["files-digest"], downloaded.log).toBe(first.outputs["files-digest"]);
    const trainedModel = readFileSync(join(workspace, "outputs/model/model.onnx"));
    expect(readFileSync(join(workspace, "model/model.onnx")).equals(trainedModel)).toBe(true);
  });
});

describe("a notebook on a real kernel", () => {
  it("gets its parameters as the numbers and words that they are", async () => {
    const cells = ["rate = 1\nname = ''", logModel, "print(repr(rate), repr(name))"];
    const { log, outputs } = await train(cells, { parameters: '{"rate": 1e-5, "name": "é 😀 yes"}' }).ended;
    expect(outputs.verdict, log).toBe("pass");
    expect(log).toContain("1e-05 'é 😀 yes'");
  });

  it("that raises an exception fails with the cell, and leaves a failed run with the executed notebook", async () => {
    const cells = ["n = 1", logModel, "# why\ndef f():\n    raise ValueError('bad data')\nf()"];
    const { outputs, log } = await train(cells, { parameters: '{"n": 2}' }).ended;
    expect(outputs).toMatchObject({ verdict: "fail", code: "NOTEBOOK_FAILED" });
    expect(outputs.reason).toContain("code cell 3 failed with ValueError: bad data (the cell begins: def f():");
    expect(log).not.toContain("frozen runpy");
    const run = await requireRun(api, outputs["run-id"] ?? "");
    expect(run.status).toBe("FAILED");
    expect(await listFiles(api, artifactFolder(api, run.artifactUri, "notebook"))).toHaveLength(1);
  });

  it("whose kernel is killed says in which cell", async () => {
    const { outputs } = await train(["n = 1", "import os\nos.kill(os.getpid(), 9)"]).ended;
    expect(outputs.reason).toBe("test.ipynb: the Python kernel died, in code cell 2 of 2: import os");
  });

  it("that is cancelled ends within the runner's time, with what it started, and leaves a killed run", async () => {
    const mark = `3${process.pid}.77`;
    const cell = `import mlflow, subprocess, time\nsubprocess.Popen(["sleep", "${mark}"])\nwith mlflow.start_run():\n    print("begun", flush=True)\n    time.sleep(300)`;
    const started = train(["n = 1", cell]);
    await started.printed("  begun");
    started.interrupt();
    const { outputs, milliseconds } = await started.ended;
    expect(outputs).toMatchObject({ verdict: "inconclusive", code: "CANCELLED" });
    expect(milliseconds).toBeLessThan(7_000);
    expect((await requireRun(api, outputs["run-id"] ?? "")).status).toBe("KILLED");
    const processes = execFileSync("ps", ["-eo", "args"], { encoding: "utf8" });
    expect(processes.split("\n").filter((line) => line === `sleep ${mark}`)).toEqual([]);
  });

  it("that logs with log_model is registered as the logged model, and downloaded", async () => {
    const cell = `
import mlflow
class Echo(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input: list[str]) -> list[str]:
        return model_input
with mlflow.start_run():
    mlflow.pyfunc.log_model(name="model", python_model=Echo(), pip_requirements=[])`;
    const trained = await train(["n = 1", cell]).ended;
    expect(trained.outputs.verdict, trained.log).toBe("pass");
    const registered = await runAction(
      "mlflow-register",
      { ...server, "run-id": trained.outputs["run-id"] ?? "", model: `${model}-echo` },
      environment,
    );
    expect(registered.outputs.verdict, registered.log).toBe("pass");
    expect((await findVersion(api, `${model}-echo`, "1"))?.source).toMatch(/^models:\/m-/);
    const version = { ...server, model: `${model}-echo`, version: "1", path: "echo" };
    expect((await runAction("mlflow-download", version, environment)).outputs.verdict).toBe("pass");
    expect(readFileSync(join(workspace, "echo/MLmodel"), "utf8")).toContain("python_function");
  });
});

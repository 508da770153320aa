import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runAction, runnerFolders, startAction } from "../../shared/test/action-process.ts";
import { LittleMlflow } from "../../shared/test/mlflow/little-mlflow.ts";
import { notebookText } from "./notebooks.ts";
import { standInPython } from "./stand-in-python.ts";

// Each test starts the action a few times, as a process.
vi.setConfig({ testTimeout: 60_000 });

let server: LittleMlflow;
let workspace: string;
let environment: Record<string, string>;
let python: string;

beforeEach(async () => {
  server = await LittleMlflow.start();
  ({ workspace, environment } = runnerFolders());
  Object.assign(environment, {
    GITHUB_REPOSITORY: "acme/digits",
    GITHUB_WORKFLOW: "pipeline",
    GITHUB_RUN_ID: "77",
    GITHUB_RUN_NUMBER: "5",
    GITHUB_RUN_ATTEMPT: "1",
    GITHUB_SHA: "0123456789abcdef",
    GITHUB_ACTOR: "ada",
  });
  python = standInPython(environment.RUNNER_TEMP ?? "");
  write("requirements.txt", "papermill\n");
});
afterEach(() => server[Symbol.asyncDispose]());

function write(path: string, text: string): void {
  writeFileSync(join(workspace, path), text);
}

/** Puts a notebook with these cells, behind one for the parameters, into the workspace. */
function notebook(...cells: string[]): void {
  write("train.ipynb", notebookText("seed = 1", ...cells));
}

const inputs = (more: Readonly<Record<string, string>> = {}) => ({
  notebook: "train.ipynb",
  experiment: "digits",
  python,
  "mlflow-tracking-uri": server.address,
  ...more,
});
const train = (more: Readonly<Record<string, string>> = {}) => runAction("train", inputs(more), environment);
const theRun = () => server.state.runs.at(-1) ?? {};
const tagsOf = (run = theRun()) =>
  Object.fromEntries(run.data.tags.map(({ key, value }: Record<string, string>) => [key, value]));

describe("a notebook that logs a model", () => {
  it("is one finished run that says where it came from", async () => {
    notebook("log-model");
    const { exitCode, outputs, summary, log } = await train();
    expect(exitCode, log).toBe(0);
    expect(outputs).toMatchObject({
      verdict: "pass",
      "run-id": "run1",
      "experiment-id": "1",
      "run-url": `${server.address}/#/experiments/1/runs/run1`,
      "model-uri": "runs:/run1/model",
      metrics: "{}",
    });
    expect(theRun().info).toMatchObject({ status: "FINISHED", run_name: "pipeline #5", end_time: expect.any(Number) });
    expect(tagsOf()).toMatchObject({
      "mlflow.source.name": "train.ipynb",
      "mlflow.source.git.commit": "0123456789abcdef",
      "mlflow.user": "ada",
      "github.run_url": "https://github.com/acme/digits/actions/runs/77/attempts/1",
    });
    expect(summary).toContain("FINISHED");
    expect(log).toContain("code cell 2 of 2: log-model");
  });

  it("keeps the executed notebook with the run, without the token that the notebook printed", async () => {
    server.authorization = "Bearer very-secret-token";
    notebook("print-login", "log-model");
    const { outputs, log } = await train({ "mlflow-tracking-token": "very-secret-token" });
    expect(outputs.verdict, log).toBe("pass");
    const kept = server.state.artifacts.get("1/run1/artifacts/notebook/train.ipynb")?.toString();
    expect(kept).toContain("***");
    expect(kept).not.toContain("very-secret-token");
    expect(log.replace(/^::add-mask::.*$/gm, "")).not.toContain("very-secret-token");
  });

  it("has the parameters that the notebook did not log itself, as Python writes them", async () => {
    notebook("log-model");
    await train({ parameters: '{ "seed": 7, "deep": true, "name": null }' });
    expect(theRun().data.params).toEqual([
      { key: "seed", value: "7" },
      { key: "deep", value: "True" },
      { key: "name", value: "None" },
    ]);
  });

  it("does not see the action's inputs, which hold secrets", async () => {
    notebook("print-inputs", "log-model");
    expect((await train()).log).toContain("no inputs");
  });
});

describe("a notebook that goes wrong", () => {
  it("fails with the cell, its first lines and the exception as the reason, and marks its run", async () => {
    notebook("log-model", "raise");
    const { exitCode, outputs, summary } = await train();
    expect(exitCode).toBe(1);
    expect(outputs).toMatchObject({
      verdict: "fail",
      code: "NOTEBOOK_FAILED",
      reason: "train.ipynb: code cell 3 failed with ValueError: bad data (the cell begins: raise)",
      "run-id": "run1",
    });
    expect(theRun().info.status).toBe("FAILED");
    expect(tagsOf()["mlflow.note.content"]).toBe(outputs.reason);
    expect(summary).toContain("End of the traceback");
    expect([...server.state.artifacts.keys()]).toContain("1/run1/artifacts/notebook/train.ipynb");
  });

  it("fails when it logs no model", async () => {
    notebook("pass");
    expect((await train()).outputs).toMatchObject({ verdict: "fail", code: "MLFLOW_MODEL_MISSING" });
    expect(theRun().info.status).toBe("FAILED");
  });

  it("names the cell in which the kernel died", async () => {
    notebook("die");
    expect((await train()).outputs.reason).toBe("train.ipynb: the Python kernel died, in code cell 2 of 2: die");
  });

  it("is stopped at its timeout, and its run is marked as killed", async () => {
    notebook("sleep");
    const { outputs } = await train({ timeout: "1s" });
    expect(outputs).toMatchObject({
      verdict: "fail",
      code: "NOTEBOOK_TIMEOUT",
      reason: expect.stringContaining("code cell 2 of 2"),
    });
    expect(theRun().info.status).toBe("KILLED");
  });

  it("is stopped when the job is cancelled, and its run is marked as killed", async () => {
    notebook("sleep");
    const started = startAction("train", inputs(), environment);
    await started.printed("code cell 2 of 2");
    started.interrupt();
    const { outputs, milliseconds } = await started.ended;
    expect(outputs).toMatchObject({ verdict: "inconclusive", code: "CANCELLED", "run-id": "run1" });
    expect(theRun().info.status).toBe("KILLED");
    expect(milliseconds).toBeLessThan(7_000);
    expect(readdirSync(environment.RUNNER_TEMP ?? "").filter((name) => name.startsWith("train-"))).toEqual([]);
  });
});

describe("a second attempt", () => {
  it("makes a new run, names the earlier one, and marks it as killed where it still runs", async () => {
    notebook("log-model");
    await train();
    theRun().info.status = "RUNNING";
    environment.GITHUB_RUN_ATTEMPT = "2";
    const { outputs, log } = await train();
    expect(outputs["run-id"]).toBe("run2");
    expect(theRun().info.run_name).toBe("pipeline #5, attempt 2");
    expect(server.state.run("run1").info.status).toBe("KILLED");
    expect(log).toContain("an earlier attempt of this workflow run left run run1, KILLED");
  });

  it("leaves the run of another notebook in the same workflow run alone", async () => {
    notebook("log-model");
    await train();
    Object.assign(theRun().info, { status: "RUNNING" });
    theRun().data.tags.find(({ key }: Record<string, string>) => key === "mlflow.source.name").value = "other.ipynb";
    environment.GITHUB_RUN_ATTEMPT = "2";
    await train();
    expect(server.state.run("run1").info.status).toBe("RUNNING");
  });
});

describe("the Python environment", () => {
  const environments = () => readdirSync(join(environment.RUNNER_TOOL_CACHE ?? "", "mlops-actions-train"));

  it("is made once for the same requirements, with hashes demanded where the file has them", async () => {
    notebook("log-model");
    write("requirements.txt", "papermill==2.7.0 --hash=sha256:00\n");
    const first = await train({ requirements: "requirements.txt" });
    expect(first.log).toMatch(/pip install .*--require-hashes -r/);
    const second = await train({ requirements: "requirements.txt" });
    expect(second.log).toContain(": reused");
    expect(environments()).toHaveLength(2);
    write("requirements.txt", "papermill==2.7.1\n");
    const other = await train({ requirements: "requirements.txt" });
    expect(other.log).toMatch(/pip install (?!.*--require-hashes)/);
    expect(environments()).toHaveLength(4);
  });

  it("is not left half-made when pip fails, and the run is marked", async () => {
    notebook("log-model");
    for (const [behaviour, code, verdict] of [
      ["no-index", "PIP_INDEX_UNREACHABLE", "inconclusive"],
      ["no-such-version", "REQUIREMENTS_REFUSED", "fail"],
      ["bad-hash", "REQUIREMENTS_REFUSED", "fail"],
    ] as const) {
      const { outputs } = await train({
        requirements: "requirements.txt",
        python: standInPython(environment.RUNNER_TEMP ?? "", behaviour),
      });
      expect(outputs, behaviour).toMatchObject({ code, verdict });
      expect(theRun().info.status).toBe("FAILED");
      expect(environments()).toEqual([]);
    }
  });

  it("that lacks papermill is named", async () => {
    notebook("log-model");
    const without = await train({ python: standInPython(environment.RUNNER_TEMP ?? "", "no-papermill") });
    expect(without.outputs).toMatchObject({
      verdict: "fail",
      code: "PAPERMILL_MISSING",
      reason: expect.stringContaining("lacks papermill"),
    });
  });

  it("of two jobs at the same time is the first one's", async () => {
    notebook("log-model");
    const both = await Promise.all([
      train({ requirements: "requirements.txt" }),
      train({ requirements: "requirements.txt" }),
    ]);
    expect(both.map(({ outputs }) => outputs.verdict)).toEqual(["pass", "pass"]);
    expect(environments()).toHaveLength(2);
  });
});

describe("bad input", () => {
  it("is named, all of it, before a run is begun", async () => {
    const { outputs } = await train({
      notebook: "train.py",
      parameters: "{ seed: 7 }",
      timeout: "soon",
      experiment: "",
    });
    expect(outputs.code).toBe("INPUT_INVALID");
    for (const part of ["'train.py'", "JSON object", "'soon'", "'experiment' is required"])
      expect(outputs.reason).toContain(part);
    expect(server.calls).toEqual([]);
  });

  it("such as a notebook or requirements that are not there begins no run", async () => {
    expect((await train()).outputs.code).toBe("NOTEBOOK_NOT_FOUND");
    write("train.ipynb", "<<<<<<< HEAD");
    expect((await train()).outputs.code).toBe("NOTEBOOK_INVALID");
    notebook("log-model");
    expect((await train({ requirements: "nothing.txt" })).outputs.code).toBe("REQUIREMENTS_NOT_FOUND");
    expect(server.state.runs).toEqual([]);
  });

  it("such as a wrong token or an address where nothing answers has its own code", async () => {
    notebook("log-model");
    const gone = await train({ "mlflow-tracking-uri": "http://127.0.0.1:9" });
    expect(gone.outputs).toMatchObject({ verdict: "inconclusive", code: "MLFLOW_UNREACHABLE" });
    server.authorization = "Bearer right";
    expect((await train({ "mlflow-tracking-token": "wrong-token" })).outputs).toMatchObject({
      verdict: "fail",
      code: "MLFLOW_DENIED",
    });
  });

  it("such as a server that does not hand out artifacts is known before anything is trained", async () => {
    notebook("log-model");
    server.state.artifactRoot = "s3://bucket";
    const { outputs, log } = await train();
    expect(outputs.code).toBe("MLFLOW_ARTIFACTS_NOT_PROXIED");
    expect(log).not.toContain("code cell");
  });
});

it("is inconclusive when MLflow goes away while the notebook runs", async () => {
  notebook("log-model");
  server.fault = ({ path }) => (path.includes("/notebook/") ? "cut-before" : undefined);
  expect((await train()).outputs).toMatchObject({
    verdict: "inconclusive",
    code: "MLFLOW_UNREACHABLE",
    "run-id": "run1",
  });
});

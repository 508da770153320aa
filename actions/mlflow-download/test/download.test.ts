import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runAction, runnerFolders, startAction } from "../../shared/test/action-process.ts";
import { LittleMlflow } from "../../shared/test/mlflow/little-mlflow.ts";

// Each test starts the action a few times, as a process.
vi.setConfig({ testTimeout: 60_000 });

let server: LittleMlflow;
let run: string;
let workspace: string;
let environment: Record<string, string>;

beforeEach(async () => {
  server = await LittleMlflow.start();
  ({ workspace, environment } = runnerFolders());
  run = server.state.addRun({ "model/model.onnx": "onnx", "model/more/golden.json": "{}" });
});
afterEach(() => server[Symbol.asyncDispose]());

const download = (inputs: Readonly<Record<string, string>>) =>
  runAction("mlflow-download", { "mlflow-tracking-uri": server.address, path: "model", ...inputs }, environment);

/** Registers the run's model as version 1 and returns the digest of its files. */
async function register(): Promise<string> {
  const inputs = { "mlflow-tracking-uri": server.address, "run-id": run, model: "digits" };
  return (await runAction("mlflow-register", inputs, environment)).outputs["files-digest"] ?? "";
}

const version = { model: "digits", version: "1" };
const inModel = (path: string) => join(workspace, "model", path);

describe("mlflow-download", () => {
  it("places the files of a version, checked against the digest that it was registered with", async () => {
    const digest = await register();
    const { exitCode, outputs } = await download(version);
    expect(exitCode).toBe(0);
    expect(outputs).toMatchObject({ verdict: "pass", path: "model", "files-digest": digest });
    expect(readFileSync(inModel("more/golden.json"), "utf8")).toBe("{}");
  });

  it("places nothing when the files were changed after they were registered", async () => {
    await register();
    server.state.artifacts.set(`1/${run}/artifacts/model/model.onnx`, Buffer.from("evil"));
    mkdirSync(join(workspace, "model"));
    writeFileSync(inModel("old"), "old");
    expect((await download(version)).outputs).toMatchObject({ verdict: "fail", code: "MODEL_CHANGED" });
    expect(existsSync(inModel("old"))).toBe(true);
    expect(existsSync(inModel("model.onnx"))).toBe(false);
  });

  it("holds the digest that it is given above the version's tag", async () => {
    await register();
    const other = `sha256:${"0".repeat(64)}`;
    const { outputs } = await download({ ...version, "files-digest": other });
    expect(outputs).toMatchObject({ code: "MODEL_CHANGED", reason: expect.stringContaining("the input files-digest") });
  });

  it("downloads nothing when the files are there already, and replaces others", async () => {
    await register();
    await download(version);
    const before = server.calls.length;
    await download(version);
    expect(server.calls.slice(before).filter(({ path }) => path.endsWith(".onnx"))).toEqual([]);
    writeFileSync(inModel("stray"), "");
    await download(version);
    expect(existsSync(inModel("stray"))).toBe(false);
  });

  it("places the artifact of a run, and says that it compared it with nothing", async () => {
    const { outputs, log } = await download({ "run-id": run });
    expect(outputs.verdict).toBe("pass");
    expect(log).toContain("no digest is known");
  });

  it("refuses more than max-size", async () => {
    server.state.artifacts.set(`1/${run}/artifacts/model/large`, Buffer.alloc(1_000_001));
    expect((await download({ "run-id": run, "max-size": "1" })).outputs.code).toBe("MODEL_TOO_LARGE");
    expect(existsSync(join(workspace, "model"))).toBe(false);
  });

  it("names an unknown version", async () => {
    expect((await download(version)).outputs).toMatchObject({ verdict: "fail", code: "MLFLOW_VERSION_NOT_FOUND" });
  });

  it("begins nothing with an input that is wrong", async () => {
    const inputs = { model: "digits", version: "champion", "files-digest": "abc", "max-size": "much" };
    const { outputs } = await download(inputs);
    expect(outputs.code).toBe("INPUT_INVALID");
    for (const part of ["number of a version", "64 hexadecimal", "from 1 to"]) expect(outputs.reason).toContain(part);
    expect((await download({ "run-id": run, path: "../other" })).outputs.code).toBe("PATH_UNSAFE");
    expect(server.calls).toEqual([]);
  });

  it("is inconclusive where nothing answers, and a failure where the password is wrong", async () => {
    const gone = await download({ "run-id": run, "mlflow-tracking-uri": "http://127.0.0.1:9" });
    expect(gone.outputs).toMatchObject({ verdict: "inconclusive", code: "MLFLOW_UNREACHABLE" });
    server.authorization = "Basic right";
    const login = { "mlflow-tracking-username": "ada", "mlflow-tracking-password": "wrong-password" };
    const denied = await download({ "run-id": run, ...login });
    expect(denied.outputs).toMatchObject({ verdict: "fail", code: "MLFLOW_DENIED" });
    expect(denied.log.replace(/^::add-mask::.*$/gm, "")).not.toContain("wrong-password");
  });

  it("leaves the workspace as it was when the job is cancelled", async () => {
    await register();
    let asked = false;
    server.fault = ({ path }) => {
      asked ||= path.endsWith("model.onnx");
      return path.endsWith("model.onnx") ? { status: 503, body: "" } : undefined;
    };
    const inputs = { "mlflow-tracking-uri": server.address, path: "model", ...version };
    const started = startAction("mlflow-download", inputs, environment);
    while (!asked) await new Promise((wake) => setTimeout(wake, 20));
    started.interrupt();
    const { outputs, milliseconds } = await started.ended;
    expect(outputs).toMatchObject({ verdict: "inconclusive", code: "CANCELLED" });
    expect(milliseconds).toBeLessThan(5_000);
    expect(existsSync(join(workspace, "model"))).toBe(false);
  });
});

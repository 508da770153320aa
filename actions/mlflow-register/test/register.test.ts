import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runAction, runnerFolders, startAction } from "../../shared/test/action-process.ts";
import { LittleMlflow } from "../../shared/test/mlflow/little-mlflow.ts";

// Each test starts the action a few times, as a process.
vi.setConfig({ testTimeout: 60_000 });

let server: LittleMlflow;
let run: string;
const { environment } = runnerFolders();
const workflow = {
  ...environment,
  GITHUB_REPOSITORY: "acme/digits",
  GITHUB_SHA: "0123456789abcdef",
  GITHUB_RUN_ID: "77",
  GITHUB_RUN_ATTEMPT: "1",
};

beforeEach(async () => {
  server = await LittleMlflow.start();
  run = server.state.addRun({ "model/model.onnx": "onnx", "model/golden.json": "{}" });
});
afterEach(() => server[Symbol.asyncDispose]());

const register = (inputs: Readonly<Record<string, string>> = {}) =>
  runAction(
    "mlflow-register",
    { "mlflow-tracking-uri": server.address, "run-id": run, model: "digits", ...inputs },
    workflow,
  );

const versions = () => server.state.model("digits").versions;

describe("mlflow-register", () => {
  it("registers a version with its origin, the digest of its files and the tags that it is given", async () => {
    const { exitCode, outputs, summary } = await register({ tags: "team=vision\nformula = a=b", alias: "candidate" });
    expect(exitCode).toBe(0);
    expect(outputs).toMatchObject({
      verdict: "pass",
      version: "1",
      model: "digits",
      "model-uri": "models:/digits/1",
      url: `${server.address}/#/models/digits/versions/1`,
      "run-id": run,
    });
    const tags = Object.fromEntries(versions()[0]?.tags.map(({ key, value }: Record<string, string>) => [key, value]));
    expect(tags).toMatchObject({
      team: "vision",
      formula: "a=b",
      "mlflow.source.git.commit": "0123456789abcdef",
      "github.repository": "acme/digits",
      "github.run_url": "https://github.com/acme/digits/actions/runs/77/attempts/1",
      "mlops-actions.files-digest": outputs["files-digest"],
    });
    expect(JSON.parse(tags["mlops-actions.files"])).toMatchObject([
      { path: "golden.json", size: 2 },
      { path: "model.onnx" },
    ]);
    expect(server.state.model("digits").aliases.get("candidate")).toBe("1");
    expect(summary).toContain(outputs["files-digest"]);
  });

  it("finds its version when it runs again, and adds a tag that it lacks", async () => {
    await register();
    const again = await register({ tags: "late=yes" });
    expect(again.outputs).toMatchObject({ verdict: "pass", version: "1" });
    expect(versions()).toHaveLength(1);
    expect(versions()[0]?.tags).toContainEqual({ key: "late", value: "yes" });
  });

  it("fails where the files of the version were changed since", async () => {
    await register();
    server.state.artifacts.set(`1/${run}/artifacts/model/model.onnx`, Buffer.from("other"));
    expect((await register()).outputs).toMatchObject({ verdict: "fail", code: "MODEL_CHANGED" });
  });

  it("does not move the alias from a newer version back to an older one", async () => {
    await register();
    const newer = server.state.addRun({ "model/model.onnx": "newer" });
    await register({ "run-id": newer });
    expect(server.state.model("digits").aliases.get("challenger")).toBe("2");
    const late = await register();
    expect(late.outputs).toMatchObject({
      verdict: "pass",
      version: "1",
      reason: expect.stringContaining("stays at version 2"),
    });
    expect(server.state.model("digits").aliases.get("challenger")).toBe("2");
  });

  it("registers nothing where the run is unknown, has no model or did not end well", async () => {
    expect((await register({ "run-id": "nobody" })).outputs.code).toBe("MLFLOW_RUN_NOT_FOUND");
    expect((await register({ artifact: "other" })).outputs.code).toBe("MLFLOW_MODEL_MISSING");
    server.state.run(run).info.status = "FAILED";
    expect((await register()).outputs.code).toBe("RUN_NOT_FINISHED");
    expect(server.state.models.size).toBe(0);
  });

  it("names every input that is wrong or missing", async () => {
    const { exitCode, outputs } = await register({ "run-id": "", model: "a/b", alias: "v3", tags: "no equals sign" });
    expect(exitCode).toBe(1);
    expect(outputs.code).toBe("INPUT_INVALID");
    for (const part of ["'run-id' is required", "'a/b'", "reserves v<number>", "key=value"])
      expect(outputs.reason).toContain(part);
  });

  it("says which secret to look at when the token is wrong, and shows it nowhere", async () => {
    server.authorization = "Bearer right";
    const { exitCode, outputs, log, summary } = await register({ "mlflow-tracking-token": "wrong-token-value" });
    expect(exitCode).toBe(1);
    expect(outputs).toMatchObject({
      verdict: "fail",
      code: "MLFLOW_DENIED",
      remedy: expect.stringContaining("mlflow-tracking-token"),
    });
    const shown = log.replace(/^::add-mask::.*$/gm, "") + summary + JSON.stringify(outputs);
    expect(shown).not.toContain("wrong-token-value");
  });

  it("is inconclusive where nothing answers", async () => {
    const { exitCode, outputs } = await register({ "mlflow-tracking-uri": "http://127.0.0.1:9" });
    expect(exitCode).toBe(1);
    expect(outputs).toMatchObject({
      verdict: "inconclusive",
      code: "MLFLOW_UNREACHABLE",
      reason: expect.stringContaining("127.0.0.1:9"),
    });
  });

  it("ends at once when the job is cancelled", async () => {
    server.fault = () => ({ status: 503, body: "busy" });
    const inputs = { "mlflow-tracking-uri": server.address, "run-id": run, model: "digits" };
    const started = startAction("mlflow-register", inputs, workflow);
    while (server.calls.length === 0) await new Promise((wake) => setTimeout(wake, 20));
    started.interrupt();
    const { outputs, milliseconds } = await started.ended;
    expect(outputs).toMatchObject({ verdict: "inconclusive", code: "CANCELLED" });
    expect(milliseconds).toBeLessThan(5_000);
  });
});

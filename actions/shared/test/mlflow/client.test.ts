import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Clock } from "../../src/action-runtime/clock.ts";
import { Redactor } from "../../src/action-runtime/redaction.ts";
import { MlflowApi } from "../../src/mlflow/api.ts";
import { type MlflowInputs, mlflowConnection } from "../../src/mlflow/connection.ts";
import { ensureExperiment } from "../../src/mlflow/experiments.ts";
import {
  ensureModel,
  ensureVersion,
  findVersionByAlias,
  searchVersions,
  setAlias,
} from "../../src/mlflow/registered-models.ts";
import { createRun, findRun, setRunStatus } from "../../src/mlflow/runs.ts";
import { LittleMlflow } from "./little-mlflow.ts";

const quick: Clock = { now: () => 1_000, sleep: async () => undefined };

const connect = (uri: string, more: Partial<MlflowInputs> = {}) =>
  mlflowConnection(
    {
      "mlflow-tracking-uri": uri,
      "mlflow-tracking-token": undefined,
      "mlflow-tracking-username": undefined,
      "mlflow-tracking-password": undefined,
      ...more,
    },
    new Redactor(() => undefined),
  );

let server: LittleMlflow;
let api: MlflowApi;

beforeEach(async () => {
  server = await LittleMlflow.start();
  api = new MlflowApi(connect(`${server.address}/`), { clock: quick });
});
afterEach(() => server[Symbol.asyncDispose]());

const newVersion = {
  model: "digits",
  source: "mlflow-artifacts:/1/run1/artifacts/model",
  runId: "run1",
  description: "",
  tags: {},
};
const newRun = { experimentId: "1", name: "x", tags: {} };

describe("the connection", () => {
  it("refuses a login in the address, without showing it", () => {
    const parse = () => connect("https://ada:hunter2@mlflow.example.com");
    expect(parse).toThrow(
      expect.objectContaining({ code: "INPUT_INVALID", message: expect.not.stringContaining("hunter2") }),
    );
  });

  it.each(["databricks", "mlflow.example.com", "file:///tmp/x", "https://h/?a=b"])("refuses the address %s", (uri) => {
    expect(() => connect(uri)).toThrow(expect.objectContaining({ code: "INPUT_INVALID" }));
  });

  it("keeps a path, without a slash at its end", () => {
    expect(connect("https://example.com/team/mlflow//").address).toBe("https://example.com/team/mlflow");
  });

  it("refuses a username without a password, and a token that no header can carry", () => {
    expect(() => connect("http://h", { "mlflow-tracking-username": "ada" })).toThrow("mlflow-tracking-password");
    expect(() => connect("http://h", { "mlflow-tracking-token": "a\nb" })).toThrow("cannot carry");
  });

  it("sends a token, or the username and password that win over it", async () => {
    const token = connect(server.address, { "mlflow-tracking-token": "secret-token" });
    await ensureExperiment(new MlflowApi(token), "a");
    expect(server.calls.at(-1)?.authorization).toBe("Bearer secret-token");
    const basic = connect(server.address, {
      "mlflow-tracking-token": "secret-token",
      "mlflow-tracking-username": "ada",
      "mlflow-tracking-password": "pass:word",
    });
    expect(basic.authorization).toBe(`Basic ${Buffer.from("ada:pass:word").toString("base64")}`);
    expect(basic.clientEnvironment.MLFLOW_TRACKING_TOKEN).toBeUndefined();
  });
});

describe("what goes wrong", () => {
  const status = (code: number, body: string, location?: string) => {
    server.fault = () => (location === undefined ? { status: code, body } : { status: code, body, location });
    return ensureExperiment(api, "a");
  };

  it("is a denial for 401 and 403, and asks for a login where none was given", async () => {
    await expect(status(401, "no")).rejects.toMatchObject({
      code: "MLFLOW_DENIED",
      remedy: expect.stringContaining("pass "),
    });
    await expect(status(403, "Invalid Host header - possible DNS rebinding attack detected")).rejects.toMatchObject({
      remedy: expect.stringContaining("--allowed-hosts"),
    });
  });

  it("is inconclusive for an error of the server, after retries", async () => {
    await expect(status(503, "busy")).rejects.toMatchObject({ code: "MLFLOW_REFUSED", blame: "inconclusive" });
    expect(server.calls).toHaveLength(4);
  });

  it("says that a redirect was answered, and does not take the login there", async () => {
    await expect(status(301, "", "https://other.example.com/login")).rejects.toMatchObject({
      message: expect.stringContaining("https://other.example.com/login"),
    });
    expect(server.calls).toHaveLength(1);
  });

  it("names a page that is not MLflow's", async () => {
    await expect(status(200, "<html>log in</html>")).rejects.toMatchObject({
      remedy: expect.stringContaining("login page"),
    });
    await expect(status(404, "<h1>Not Found</h1>")).rejects.toMatchObject({
      remedy: expect.stringContaining("no MLflow 3"),
    });
  });

  it("is inconclusive where nothing listens", async () => {
    const nobody = new MlflowApi(connect("http://127.0.0.1:9"), { clock: quick });
    await expect(ensureExperiment(nobody, "a")).rejects.toMatchObject({
      code: "MLFLOW_UNREACHABLE",
      blame: "inconclusive",
    });
  });
});

describe("an experiment", () => {
  it("is created once by many at the same time", async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => ensureExperiment(api, "digits")));
    expect(new Set(made.map(({ experiment_id }) => experiment_id))).toEqual(new Set(["1"]));
    expect(server.state.experiments).toHaveLength(1);
  });

  it("that was deleted is not used", async () => {
    await ensureExperiment(api, "digits");
    Object.assign(server.state.experiments[0] ?? {}, { lifecycle_stage: "deleted" });
    await expect(ensureExperiment(api, "digits")).rejects.toMatchObject({ code: "MLFLOW_EXPERIMENT_DELETED" });
  });
});

describe("a creation whose answer got lost", () => {
  const cutAfter = (path: string) => {
    server.fault = (call) => (call.path.endsWith(path) && server.count(path) === 1 ? "cut-after" : undefined);
  };

  it("of a run is found by its key and not repeated", async () => {
    cutAfter("runs/create");
    expect((await createRun(api, newRun)).id).toBe("run1");
    expect(server.state.runs).toHaveLength(1);
    expect(server.count("runs/create")).toBe(1);
  });

  it("of a model version is found by run and source and not repeated", async () => {
    await ensureModel(api, "digits");
    cutAfter("model-versions/create");
    const { version } = await ensureVersion(api, newVersion);
    expect(version.version).toBe("1");
    expect(server.state.model("digits").versions).toHaveLength(1);
    expect(server.count("model-versions/create")).toBe(1);
  });

  it("and that cannot be found is not repeated either", async () => {
    await ensureModel(api, "digits");
    server.fault = (call) => (call.path.endsWith("model-versions/create") ? "cut-before" : undefined);
    await expect(ensureVersion(api, newVersion)).rejects.toMatchObject({ code: "MLFLOW_UNREACHABLE" });
    expect(server.count("model-versions/create")).toBe(1);
  });

  it("is repeated where the server says that it did not do it", async () => {
    await ensureModel(api, "digits");
    const path = "model-versions/create";
    server.fault = (call) =>
      call.path.endsWith(path) && server.count(path) < 3 ? { status: 429, body: "" } : undefined;
    expect((await ensureVersion(api, newVersion)).version.version).toBe("1");
    expect(server.count(path)).toBe(3);
  });
});

describe("the registry", () => {
  it("finds the version of an earlier attempt beyond the first page", async () => {
    await ensureModel(api, "digits");
    const first = await ensureVersion(api, newVersion);
    for (const name of ["a", "b", "c", "d"])
      await ensureVersion(api, { ...newVersion, source: `${newVersion.source}/${name}` });
    expect(first.created).toBe(true);
    expect(await searchVersions(api, "digits", "run1")).toHaveLength(5);
    expect(await ensureVersion(api, newVersion)).toMatchObject({ created: false, version: { version: "1" } });
  });

  it("gives both of two racing jobs the lower version", async () => {
    await ensureModel(api, "digits");
    server.fault = (call) => {
      if (call.path.endsWith("model-versions/create") && server.state.model("digits").versions.length === 0)
        server.state
          .model("digits")
          .versions.push({ name: "digits", version: "1", source: newVersion.source, run_id: "run1" });
      return undefined;
    };
    expect(await ensureVersion(api, newVersion)).toMatchObject({ created: false, version: { version: "1" } });
  });

  it("knows an alias that does not exist from an error", async () => {
    expect(await findVersionByAlias(api, "digits", "champion")).toBeUndefined();
    await ensureModel(api, "digits");
    await ensureVersion(api, newVersion);
    expect(await findVersionByAlias(api, "digits", "champion")).toBeUndefined();
    await setAlias(api, "digits", "champion", "1");
    expect((await findVersionByAlias(api, "digits", "champion"))?.version).toBe("1");
  });
});

describe("a run", () => {
  it("keeps a metric that is not a number", async () => {
    const { id } = await createRun(api, newRun);
    server.state.run(id).data.metrics = [{ key: "loss", value: "NaN" }];
    expect((await findRun(api, id))?.metrics.loss).toBeNaN();
  });

  it("ends when it is given its last status, and not before", async () => {
    const { id } = await createRun(api, newRun);
    await setRunStatus(api, id, "RUNNING");
    expect(server.state.run(id).info.end_time).toBeUndefined();
    await setRunStatus(api, id, "KILLED");
    expect(server.state.run(id).info).toMatchObject({ status: "KILLED", end_time: 1_000 });
  });
});

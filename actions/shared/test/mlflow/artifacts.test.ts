import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MlflowApi } from "../../src/mlflow/api.ts";
import { artifactFolder, listFiles, uploadFile } from "../../src/mlflow/artifacts.ts";
import { digestFiles, digestLocalFiles, downloadFiles } from "../../src/mlflow/download.ts";
import { filesDigest } from "../../src/mlflow/files-digest.ts";
import { findModelFiles, findVersionFiles, requireRun } from "../../src/mlflow/model-files.ts";
import { LittleMlflow } from "./little-mlflow.ts";

const quick = { now: () => 0, sleep: async () => undefined };
const files = { "model/model.onnx": "onnx", "model/a b/é.json": "{}", "model/Z": "z", "model2/other": "x" };

let server: LittleMlflow;
let api: MlflowApi;
let parent: string;

beforeEach(async () => {
  server = await LittleMlflow.start();
  api = new MlflowApi({ address: server.address, clientEnvironment: {} }, { clock: quick });
  parent = mkdtempSync(join(tmpdir(), "mlflow-download-"));
});
afterEach(() => server[Symbol.asyncDispose]());

const modelOf = async (id: string) => findModelFiles(api, await requireRun(api, id), "model");
const accept = () => undefined;

describe("an artifact location", () => {
  it.each(["s3://bucket/1", "file:///mlruns", "/mlruns/1", "mlflow-artifacts://other.example.com/1", "dbfs:/x"])(
    "that the server does not hand out is refused: %s",
    (uri) => {
      expect(() => artifactFolder(api, uri)).toThrow(expect.objectContaining({ code: "MLFLOW_ARTIFACTS_NOT_PROXIED" }));
    },
  );

  it("is understood with and without the server's name", () => {
    const { host } = new URL(server.address);
    expect(artifactFolder(api, "mlflow-artifacts:/1/r/artifacts", "model").path).toBe("1/r/artifacts/model");
    expect(artifactFolder(api, `mlflow-artifacts://${host}/1/r`).path).toBe("1/r");
    expect(artifactFolder(api, `${server.address}/api/2.0/mlflow-artifacts/artifacts/1/r%20s`).path).toBe("1/r s");
  });

  it.each(["../../other", "a/../../b", "a//b", "a\\b"])("cannot be left by %s", (below) => {
    expect(() => artifactFolder(api, "mlflow-artifacts:/1/r", below)).toThrow(
      expect.objectContaining({ code: "PATH_UNSAFE" }),
    );
  });
});

describe("a model's files", () => {
  it("are listed with the folders below, and not those of a folder with a longer name", async () => {
    const { files: found } = await modelOf(server.state.addRun(files));
    expect(found.map(({ path, size }) => `${path} ${size}`)).toEqual(["Z 1", "a b/é.json 2", "model.onnx 4"]);
  });

  it.each(["..", ".", "a/b", "a\\b", "", "a\nb"])("are refused when the server names one %j", async (name) => {
    server.state.strangeNames.push(name);
    await expect(modelOf(server.state.addRun(files))).rejects.toMatchObject({ code: "MLFLOW_ARTIFACTS_REJECTED" });
  });

  it("are refused beyond the limit", async () => {
    const folder = artifactFolder(api, "mlflow-artifacts:/1/run1/artifacts", "model");
    server.state.addRun(files);
    await expect(listFiles(api, folder, { files: 2, depth: 9 })).rejects.toThrow("more than 2 files");
    await expect(listFiles(api, folder, { files: 9, depth: 1 })).rejects.toThrow("more than 1 folders deep");
  });

  it("are those of the model that log_model made, where the run has no such folder", async () => {
    const id = server.state.addRun({});
    server.state.run(id).outputs = {
      model_outputs: [
        { model_id: "m-2", step: 2 },
        { model_id: "m-1", step: 1 },
      ],
    };
    for (const model of ["m-1", "m-2"]) {
      const info = { model_id: model, name: "model", artifact_uri: `mlflow-artifacts:/1/models/${model}/artifacts` };
      server.state.loggedModels.set(model, { info });
      server.state.artifacts.set(`1/models/${model}/artifacts/MLmodel`, Buffer.from(model));
    }
    expect(await modelOf(id)).toMatchObject({ source: "models:/m-2", modelId: "m-2", files: [{ path: "MLmodel" }] });
  });

  it("that are not there are an error, also of a version that was registered without them", async () => {
    const id = server.state.addRun({});
    await expect(modelOf(id)).rejects.toMatchObject({ code: "MLFLOW_MODEL_MISSING" });
    const source = `mlflow-artifacts:/1/${id}/artifacts/model`;
    server.state.models.set("m", { versions: [{ name: "m", version: "1", source }], aliases: new Map() });
    await expect(findVersionFiles(api, "m", "1")).rejects.toMatchObject({ code: "MLFLOW_MODEL_MISSING" });
  });

  it("are found from a version whose source is runs:/", async () => {
    const id = server.state.addRun(files);
    server.state.models.set("m", {
      versions: [{ name: "m", version: "1", source: `runs:/${id}/model` }],
      aliases: new Map(),
    });
    expect((await findVersionFiles(api, "m", "1")).files).toHaveLength(3);
  });
});

describe("a download", () => {
  const download = async (check = accept) => {
    const { folder, files: found } = await modelOf(server.state.runs[0]?.info.run_id ?? server.state.addRun(files));
    return downloadFiles(api, folder, found, join(parent, "model"), check);
  };

  it("places every file, with the digest that sha256sum gives", async () => {
    const digest = filesDigest(await download());
    expect(readFileSync(join(parent, "model/a b/é.json"), "utf8")).toBe("{}");
    const command = "find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum";
    const printed = execFileSync("bash", ["-c", command], { cwd: join(parent, "model"), encoding: "utf8" });
    expect(digest).toBe(`sha256:${printed.split(" ")[0]}`);
    expect(filesDigest((await digestLocalFiles(join(parent, "model"))) ?? [])).toBe(digest);
    const { folder, files: found } = await modelOf("run1");
    expect(filesDigest(await digestFiles(api, folder, found))).toBe(digest);
  });

  it("replaces what was there, and removes what a killed one left", async () => {
    mkdirSync(join(parent, "model"));
    writeFileSync(join(parent, "model/old"), "old");
    mkdirSync(join(parent, ".model.mlflow-0123/new"), { recursive: true });
    await download();
    expect(readdirSync(parent)).toEqual(["model"]);
    expect(readdirSync(join(parent, "model")).sort()).toEqual(["Z", "a b", "model.onnx"]);
  });

  it("that is not accepted leaves what was there", async () => {
    mkdirSync(join(parent, "model"));
    writeFileSync(join(parent, "model/old"), "old");
    const refuse = () => {
      throw new Error("no");
    };
    await expect(download(refuse)).rejects.toThrow("no");
    expect(readdirSync(parent)).toEqual(["model"]);
    expect(readdirSync(join(parent, "model"))).toEqual(["old"]);
  });

  it("refuses a file that is longer or shorter than listed", async () => {
    server.state.addRun(files);
    const { folder, files: found } = await modelOf("run1");
    const place = join(parent, "model");
    for (const text of ["onnx and more", "o"]) {
      server.state.artifacts.set("1/run1/artifacts/model/model.onnx", Buffer.from(text));
      const attempt = downloadFiles(api, folder, found, place, accept);
      await expect(attempt).rejects.toMatchObject({ code: "MLFLOW_ARTIFACTS_CHANGED" });
    }
    expect(readdirSync(parent)).toEqual([]);
  });

  it("reads a file again that broke off in the middle, a few times", async () => {
    server.fault = (call) =>
      call.path.endsWith("model.onnx") && server.count("model.onnx") < 3 ? "cut-middle" : undefined;
    expect(await download()).toHaveLength(3);
    expect(readFileSync(join(parent, "model/model.onnx"), "utf8")).toBe("onnx");
    server.fault = (call) => (call.path.endsWith("model.onnx") ? "cut-middle" : undefined);
    await expect(download()).rejects.toMatchObject({ code: "MLFLOW_UNREACHABLE", blame: "inconclusive" });
  });
});

it("an upload is stored under its path", async () => {
  await uploadFile(api, artifactFolder(api, "mlflow-artifacts:/1/r", "notebook"), "a b.ipynb", () => "{}");
  expect(server.state.artifacts.get("1/r/notebook/a b.ipynb")?.toString()).toBe("{}");
});

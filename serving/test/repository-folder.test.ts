import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findModel, listModels } from "../src/models/repository-folder.ts";
import { temporaryFolder } from "./server-process.ts";

test("lists every version by rising number, not by its digits", async () => {
  const folder = temporaryFolder({ "b/10/model.onnx": "", "b/9/model.onnx": "", "a/1/model.onnx": "" });
  expect(await listModels(folder)).toEqual([
    { name: "a", path: join(folder, "a"), versions: ["1"], fault: undefined, isBare: false },
    { name: "b", path: join(folder, "b"), versions: ["9", "10"], fault: undefined, isBare: false },
  ]);
});

test("passes over files, hidden folders and folders that are no version", async () => {
  const folder = temporaryFolder({
    "README.md": "",
    "..data/1/model.onnx": "",
    "a/1/model.onnx": "",
    "a/labels/en.txt": "",
    "a/01/model.onnx": "",
    "a/0/model.onnx": "",
  });
  mkdirSync(join(folder, "lost+found"));
  expect((await listModels(folder)).map(({ name, versions }) => `${name} ${versions}`)).toEqual(["a 1"]);
});

test("follows links, as mounted volumes have them", async () => {
  const folder = temporaryFolder({ "..data/a/1/model.onnx": "" });
  symlinkSync("..data/a", join(folder, "a"));
  symlinkSync("/no/such/folder", join(folder, "dangling"));
  expect((await listModels(folder)).map(({ name }) => name)).toEqual(["a"]);
});

test("says what is wrong with a repository that is a file, and with an empty one", async () => {
  const folder = temporaryFolder({ models: "" });
  await expect(listModels(join(folder, "models"))).rejects.toThrow("models: it is not a folder");
  await expect(listModels(folder)).rejects.toThrow(`${folder} is empty: expected <model name>/<version number>/model`);
});

test("tells the fault of one model in its place", async () => {
  const folder = temporaryFolder({ "a/1/model.onnx": "", "b/readme.txt": "" });
  const [a, b] = await listModels(folder);
  expect(a?.fault).toBeUndefined();
  expect(b?.fault).toBe(`the model folder ${folder}/b has no version: expected ${folder}/b/1/model.onnx`);
});

test("a name that a client sends never becomes a path out of the repository", async () => {
  const folder = temporaryFolder({ "models/a/1/model.onnx": "", "secret/1/model.onnx": "" });
  const models = join(folder, "models");
  for (const name of ["../secret", "..", ".", "", "a/../../secret", "a/1", "a\0"]) {
    expect(await findModel(models, name)).toBeUndefined();
  }
  expect((await findModel(models, "a"))?.versions).toEqual(["1"]);
});

import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { listModels } from "../src/models/repository-folder.ts";
import { temporaryFolder } from "./server-process.ts";

test("lists every version by rising number, not by its digits", async () => {
  const folder = temporaryFolder({ "b/10/model.onnx": "", "b/9/model.onnx": "", "a/1/model.onnx": "" });
  expect(await listModels(folder)).toEqual([
    { name: "a", version: "1", file: join(folder, "a/1/model.onnx") },
    { name: "b", version: "9", file: join(folder, "b/9/model.onnx") },
    { name: "b", version: "10", file: join(folder, "b/10/model.onnx") },
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
  expect((await listModels(folder)).map(({ name, version }) => `${name} ${version}`)).toEqual(["a 1"]);
});

test("follows links, as mounted volumes have them", async () => {
  const folder = temporaryFolder({ "..data/a/1/model.onnx": "" });
  symlinkSync("..data/a", join(folder, "a"));
  symlinkSync("/no/such/folder", join(folder, "dangling"));
  expect((await listModels(folder)).map(({ name }) => name)).toEqual(["a"]);
});

test("says what is wrong with a repository that is a file", async () => {
  const folder = temporaryFolder({ models: "" });
  await expect(listModels(join(folder, "models"))).rejects.toThrow("models: it is not a folder");
});

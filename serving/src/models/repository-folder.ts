import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ModelError } from "./error.ts";
import { fileFault } from "./file-fault.ts";
import { VERSION_PATTERN } from "./model-config.ts";

/** One model's folder in the repository. */
export interface ModelFolder {
  readonly name: string;
  readonly path: string;
  /** By rising number. */
  readonly versions: readonly string[];
  /** Why it holds nothing to serve, with its path and the remedy; undefined when it does. */
  readonly fault: string | undefined;
  /** Whether it can be read and has no version. */
  readonly isBare: boolean;
}

const LAYOUT = "expected <model name>/<version number>/model.onnx in it";

/**
 * Every model of a repository folder, `<name>/<version>/model.onnx`, by name. Hidden folders and plain files beside the
 * model folders are passed over, so that mounted volumes (`..data`, `lost+found`) work. A fault in one model is told in
 * its place and leaves the others.
 *
 * @throws ModelError when the repository is missing, cannot be read or holds no model folder
 */
export async function listModels(repository: string): Promise<ModelFolder[]> {
  const names = await modelNames(repository);
  if (names.length === 0) throw new ModelError(`the model repository ${repository} is empty: ${LAYOUT}`);
  return Promise.all(names.sort().map((name) => readModelFolder(repository, name)));
}

/**
 * One model of a repository folder. The name may come from a client: it is compared with the names that are there before
 * it becomes a path.
 *
 * @returns undefined when there is no such folder
 * @throws ModelError when the repository is missing or cannot be read
 */
export async function findModel(repository: string, name: string): Promise<ModelFolder | undefined> {
  const names = await modelNames(repository);
  return names.includes(name) ? readModelFolder(repository, name) : undefined;
}

async function modelNames(repository: string): Promise<string[]> {
  return foldersIn(repository).catch((error: NodeJS.ErrnoException) => {
    throw new ModelError(`cannot read the model repository ${repository}: ${fileFault(error)}; ${LAYOUT}`);
  });
}

async function readModelFolder(repository: string, name: string): Promise<ModelFolder> {
  const path = join(repository, name);
  try {
    const folders = await foldersIn(path);
    const versions = folders.filter((folder) => VERSION_PATTERN.test(folder));
    versions.sort((one, other) => Number(one) - Number(other));
    const isBare = versions.length === 0;
    const fault = isBare ? `the model folder ${path} has no version: expected ${path}/1/model.onnx` : undefined;
    return { name, path, versions, fault, isBare };
  } catch (error) {
    const fault = `cannot read the model folder ${path}: ${fileFault(error as NodeJS.ErrnoException)}`;
    return { name, path, versions: [], fault, isBare: false };
  }
}

async function foldersIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true });
  const visible = entries.filter(({ name }) => !name.startsWith(".") && name !== "lost+found");
  const folders = await Promise.all(visible.map(async (entry) => ((await isFolder(path, entry)) ? [entry.name] : [])));
  return folders.flat();
}

/** Volumes made of ConfigMaps and mounted artifacts are links to folders. */
async function isFolder(path: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  const target = await stat(join(path, entry.name)).catch(() => undefined);
  return target?.isDirectory() === true;
}

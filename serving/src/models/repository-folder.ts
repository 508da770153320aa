import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ModelError } from "./error.ts";

/** Where one version of one model lies. */
export interface ModelLocation {
  readonly name: string;
  readonly version: string;
  /** The ONNX file. */
  readonly file: string;
}

const LAYOUT = "expected <model name>/<version number>/model.onnx in it";

/**
 * Every version of every model in a repository folder, `<name>/<version>/model.onnx`, by name and then by rising
 * version. Hidden folders and plain files beside the model folders are passed over, so that mounted volumes
 * (`..data`, `lost+found`) work.
 *
 * @throws ModelError when the folder is missing, cannot be read, holds no model, or a model has no version or no file
 */
export async function listModels(folder: string): Promise<ModelLocation[]> {
  const names = await foldersIn(folder, `the model repository ${folder}`);
  if (names.length === 0) throw new ModelError(`the model repository ${folder} is empty: ${LAYOUT}`);
  const models = await Promise.all(names.sort().map((name) => listVersions(folder, name)));
  return models.flat();
}

async function listVersions(folder: string, name: string): Promise<ModelLocation[]> {
  const path = join(folder, name);
  const versions = (await foldersIn(path, `the model folder ${path}`)).filter((entry) => /^[1-9]\d{0,14}$/.test(entry));
  if (versions.length === 0)
    throw new ModelError(`the model folder ${path} has no version: expected ${path}/1/model.onnx`);
  versions.sort((one, other) => Number(one) - Number(other));
  return Promise.all(versions.map((version) => locate(path, name, version)));
}

async function locate(path: string, name: string, version: string): Promise<ModelLocation> {
  const file = join(path, version, "model.onnx");
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error) throw new ModelError(`cannot read ${file}: ${reason(found)}`);
  if (!found.isFile()) throw new ModelError(`${file} is not a file`);
  return { name, version, file };
}

async function foldersIn(path: string, what: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new ModelError(`cannot read ${what}: ${reason(error)}; ${LAYOUT}`);
  });
  const visible = entries.filter(({ name }) => !name.startsWith(".") && name !== "lost+found");
  const folders = await Promise.all(
    visible.map(async (entry) => {
      // Volumes made of ConfigMaps and mounted artifacts are links to folders.
      const isFolder = entry.isSymbolicLink()
        ? await stat(join(path, entry.name)).then(
            (found) => found.isDirectory(),
            () => false,
          )
        : entry.isDirectory();
      return isFolder ? [entry.name] : [];
    }),
  );
  return folders.flat();
}

function reason(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ENOENT":
      return "it does not exist";
    case "ENOTDIR":
      return "it is not a folder";
    case "EACCES":
      return "permission denied";
    default:
      return error.message;
  }
}

import { join } from "node:path";
import type { ExecutionSettings } from "../execution/open-model.ts";
import { ModelError } from "./error.ts";
import { readModelConfig } from "./model-config.ts";
import type { ModelFolder } from "./repository-folder.ts";
import { selectVersions } from "./version-policy.ts";

/** Where one version of a model comes from, and how it is to be run. */
export interface VersionSource {
  readonly name: string;
  readonly version: string;
  readonly folder: string;
  /** The ONNX file in it. */
  readonly file: string;
  /** The server's settings with what the model's `config.json` says. */
  readonly settings: ExecutionSettings;
}

/**
 * The versions of a model that are to be served, by rising number.
 *
 * @param settings the server's
 * @throws ModelError when the folder holds nothing to serve, or its `config.json` is wrong
 */
export async function planVersions(folder: ModelFolder, settings: ExecutionSettings): Promise<VersionSource[]> {
  if (folder.fault !== undefined) throw new ModelError(folder.fault);
  const { versionPolicy, execution } = await readModelConfig(folder.path);
  return selectVersions(versionPolicy, folder.versions).map((version) => ({
    name: folder.name,
    version,
    folder: join(folder.path, version),
    file: join(folder.path, version, "model.onnx"),
    settings: { ...settings, ...execution },
  }));
}

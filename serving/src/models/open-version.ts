import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { ExecutionSettings, ModelFile } from "../execution/open-model.ts";
import type { ExecutionListener } from "../execution/statistics.ts";
import { checkDigests } from "./checksum.ts";
import { ModelError } from "./error.ts";
import { checkContained } from "./external-data.ts";
import { fingerprint } from "./fingerprint.ts";
import type { Model } from "./model.ts";
import { readVersionConfig } from "./model-config.ts";
import { readStructure } from "./onnx-structure.ts";
import type { VersionSource } from "./version-source.ts";

/** Loads and warms up: `openModel`, or what a test puts in its place. */
export type OpenModel = (
  file: ModelFile,
  settings: ExecutionSettings,
  listen: ExecutionListener,
  warn: (message: string) => void,
) => Promise<Model>;

/** A version that is loaded and warm, and what it was made from. */
export interface LoadedVersion {
  readonly model: Model;
  /** Two versions that were made from the same files in the same way have the same one. */
  readonly identity: string;
}

/** What a version would be made from now. See {@link LoadedVersion.identity}. */
export async function identify({ folder, settings }: VersionSource): Promise<string> {
  return `${JSON.stringify(settings)}\n${await fingerprint(folder)}`;
}

/** How a version is opened. */
export interface Opening {
  readonly open: OpenModel;
  readonly listen: ExecutionListener;
  /** Told what is wrong with a version that is served all the same. */
  readonly warn: (message: string) => void;
  /** See `ModelFile`. */
  readonly whileServing: boolean;
}

/**
 * Checks a version's files, then has them loaded. The runtime sees nothing that was not checked.
 *
 * @throws Error with the reason when it cannot be served
 */
export async function openVersion(
  source: VersionSource,
  { open, listen, warn, whileServing }: Opening,
): Promise<LoadedVersion> {
  const { name, version, folder, file } = source;
  const identity = await identify(source);
  const { sha256, execution } = await readVersionConfig(folder);
  const settings = { ...source.settings, ...execution };
  const { externalLocations, operators } = await readStructure(file);
  await checkContained(file, externalLocations);
  await checkDigests(file, sha256);
  const verify = async () => {
    if ((await identify(source)) === identity) return;
    throw new ModelError(`the files in ${folder} changed since they were checked: load the model again`);
  };
  const sizes = [file, ...externalLocations.map((location) => join(folder, location))].map(
    async (path) => (await stat(path)).size,
  );
  const size = (await Promise.all(sizes)).reduce((sum, bytes) => sum + bytes, 0);
  const model = await open({ name, version, file, size, operators, whileServing, verify }, settings, listen, warn);
  try {
    checkWarmUpShapes(model, settings);
    // What was checked and what was loaded were read at different times.
    await verify();
    return { model, identity };
  } catch (error) {
    await model.close();
    throw error;
  }
}

function checkWarmUpShapes({ inputs }: Model, { warmUpShapes = {} }: ExecutionSettings): void {
  const names = inputs.map(({ name }) => name);
  const unknown = Object.keys(warmUpShapes).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new ModelError(`warmUp.shapes names '${unknown}' in config.json, the model's inputs are: ${names.join(", ")}`);
}

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ExecutionSettings } from "../execution/open-model.ts";
import { ModelError } from "./error.ts";
import { fileFault } from "./file-fault.ts";
import { JsonFault, list, map, matching, object, oneOf, type Reader, unexpected, wholeNumber } from "./json-reader.ts";
import type { VersionPolicy } from "./version-policy.ts";

/** `config.json` in a model's folder: what differs from the server's settings. */
export interface ModelConfig {
  readonly versionPolicy: VersionPolicy;
  readonly execution: Partial<ExecutionSettings>;
}

/** `config.json` in a version's folder. */
export interface VersionConfig {
  /** Hexadecimal SHA-256 by the file's path in the version's folder. */
  readonly sha256: ReadonlyMap<string, string>;
  /** In place of what the model's folder says. */
  readonly execution: Pick<ExecutionSettings, "warmUpShapes">;
}

const CONFIG_FILE = "config.json";
const MODEL_FILE = "model.onnx";
/** A version's number, as its folder is named: no leading zero, exact as a double. */
export const VERSION_PATTERN = /^[1-9]\d{0,14}$/;

const warmUp = object({ shapes: map(list(wholeNumber(1, 2 ** 31 - 1))) });
type WarmUp = Partial<{ readonly shapes: ReadonlyMap<string, readonly number[]> }>;

const digest = matching(/^[0-9a-f]{64}$/i, "a SHA-256 in hexadecimal, 64 digits");
const digests = map(digest);

const readModel = object({
  versionPolicy: readVersionPolicy,
  execution: object({
    mode: oneOf("auto", "inline", "workers"),
    workers: wholeNumber(1, 256),
    intraOpThreads: wholeNumber(1, 256),
  }),
  batching: object({ mode: oneOf("auto", "off"), maxBatchSize: wholeNumber(1, 65_536) }),
  queueLimit: wholeNumber(1, 1_000_000),
  warmUp,
  emptyTensors: oneOf(true, false),
  sha256: (() => {
    throw new JsonFault(`sha256 belongs to one version: write it into the ${CONFIG_FILE} of that version's folder`);
  }) satisfies Reader<never>,
});

const readVersion = object({ sha256: readDigests, warmUp });

/**
 * The `config.json` of a model's folder; without the file, no wishes.
 *
 * @throws ModelError that names the file and what is wrong with it
 */
export async function readModelConfig(folder: string): Promise<ModelConfig> {
  const { versionPolicy, execution, batching, queueLimit, warmUp, emptyTensors } = await readConfig(folder, readModel);
  return {
    versionPolicy: versionPolicy ?? { kind: "all" },
    execution: {
      ...execution,
      ...(batching?.mode !== undefined && { batching: batching.mode }),
      ...(batching?.maxBatchSize !== undefined && { maxBatchSize: batching.maxBatchSize }),
      ...(queueLimit !== undefined && { queueLimit }),
      ...(emptyTensors !== undefined && { emptyTensors }),
      ...warmUpSettings(warmUp),
    },
  };
}

/**
 * The `config.json` of a version's folder; without the file, no wishes.
 *
 * @throws ModelError that names the file and what is wrong with it
 */
export async function readVersionConfig(folder: string): Promise<VersionConfig> {
  const { sha256, warmUp } = await readConfig(folder, readVersion);
  return { sha256: sha256 ?? new Map(), execution: warmUpSettings(warmUp) };
}

function warmUpSettings(warmUp: WarmUp | undefined): Pick<ExecutionSettings, "warmUpShapes"> {
  return warmUp?.shapes === undefined ? {} : { warmUpShapes: Object.fromEntries(warmUp.shapes) };
}

async function readConfig<T>(folder: string, read: Reader<Partial<T>>): Promise<Partial<T>> {
  const path = join(folder, CONFIG_FILE);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new ModelError(`cannot read ${path}: ${fileFault(error)}`);
  });
  if (text === undefined) return {};
  try {
    return read(JSON.parse(text), "");
  } catch (error) {
    if (error instanceof JsonFault) throw new ModelError(`${path}: ${error.message}`);
    if (error instanceof SyntaxError) throw new ModelError(`${path} is not valid JSON: ${error.message}`);
    throw error;
  }
}

/** Of `model.onnx` when it is one digest, of the files named when it is an object. */
function readDigests(value: unknown, path: string): ReadonlyMap<string, string> {
  return typeof value === "string" ? new Map([[MODEL_FILE, digest(value, path)]]) : digests(value, path);
}

function readVersionPolicy(value: unknown, path: string): VersionPolicy {
  const policies = object({ latest: wholeNumber(1, 1_000_000), all: oneOf(true), specific: readVersions });
  const { latest, all, specific } = policies(value, path);
  const given: VersionPolicy[] = [];
  if (latest !== undefined) given.push({ kind: "latest", count: latest });
  if (all !== undefined) given.push({ kind: "all" });
  if (specific !== undefined) given.push({ kind: "specific", versions: specific });
  const [policy] = given;
  if (policy === undefined || given.length > 1) {
    throw new JsonFault(`${path} needs exactly one of: {"latest": 2}, {"all": true}, {"specific": [1, 3]}`);
  }
  return policy;
}

function readVersions(value: unknown, path: string): readonly string[] {
  const versions = list(wholeNumber(1, 10 ** 15 - 1))(value, path);
  if (versions.length === 0) throw unexpected(value, path, "at least one version number");
  return [...new Set(versions)].sort((one, other) => one - other).map(String);
}

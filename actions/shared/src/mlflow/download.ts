import { createHash, randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { lstat, mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ActionError } from "../action-runtime/error.ts";
import { type Digest, digestOfFile } from "../oci/digest.ts";
import type { MlflowApi } from "./api.ts";
import { type ArtifactFile, type ArtifactFolder, openFile } from "./artifacts.ts";
import type { DigestedFile } from "./files-digest.ts";

/** Files at the same time. */
const concurrency = 4;
/** Of one file whose bytes stop in the middle. */
const attempts = 3;

/** Reads every file and keeps none. For a digest without disk space. */
export async function digestFiles(api: MlflowApi, from: ArtifactFolder, files: readonly ArtifactFile[]) {
  return eachFile(files, (file) => receive(api, from, file, undefined));
}

/**
 * Downloads files into a folder of their own, then puts it in the destination's place at once: the destination has all of
 * them or is as it was before. What the destination held is replaced; what a killed download left beside it is removed.
 *
 * @param accept is given the digests before anything is replaced, and throws to refuse them.
 */
export async function downloadFiles(
  api: MlflowApi,
  from: ArtifactFolder,
  files: readonly ArtifactFile[],
  destination: string,
  accept: (files: readonly DigestedFile[]) => void,
): Promise<DigestedFile[]> {
  const parent = dirname(destination);
  await mkdir(parent, { recursive: true });
  const prefix = `.${basename(destination)}.mlflow-`;
  for (const name of await readdir(parent))
    if (name.startsWith(prefix)) await rm(join(parent, name), { recursive: true, force: true });
  const beside = join(parent, `${prefix}${randomBytes(6).toString("hex")}`);
  try {
    const digested = await eachFile(files, async (file) => {
      const path = join(beside, "new", file.path);
      await mkdir(dirname(path), { recursive: true });
      return receive(api, from, file, path);
    });
    accept(digested);
    if (await exists(destination)) await rename(destination, join(beside, "old"));
    await rename(join(beside, "new"), destination);
    return digested;
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

/** The files of a local folder with their digests; undefined where there is none, or where it holds anything else. */
export async function digestLocalFiles(folder: string): Promise<DigestedFile[] | undefined> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (entries?.some((entry) => !entry.isFile() && !entry.isDirectory())) return undefined;
  const paths = entries?.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return paths && Promise.all(paths.map(async (path) => digestLocalFile(folder, path)));
}

async function digestLocalFile(folder: string, path: string): Promise<DigestedFile> {
  return { path: path.slice(folder.length + 1), size: (await lstat(path)).size, digest: await digestOfFile(path) };
}

async function eachFile<T>(files: readonly ArtifactFile[], work: (file: ArtifactFile) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < files.length; index = next++) {
      const file = files[index];
      if (file)
        results[index] = await work(file).catch((error: unknown) => {
          next = files.length;
          throw error;
        });
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: Math.min(concurrency, files.length) }, worker));
  for (const result of ended) if (result.status === "rejected") throw result.reason;
  return results;
}

/** Reads one file, into `path` where one is given. A file that grew or shrank since it was listed is refused. */
async function receive(
  api: MlflowApi,
  from: ArtifactFolder,
  file: ArtifactFile,
  path: string | undefined,
): Promise<DigestedFile> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await receiveOnce(api, from, file, path);
    } catch (error) {
      api.options.signal?.throwIfAborted();
      if (error instanceof ActionError) throw error;
      if (isLocal(error)) throw notWritten(path ?? "", error);
      if (attempt >= attempts) throw brokenOff(from, file, error);
      await api.clock.sleep(500 * 2 ** attempt, api.options.signal);
    }
  }
}

async function receiveOnce(
  api: MlflowApi,
  from: ArtifactFolder,
  file: ArtifactFile,
  path: string | undefined,
): Promise<DigestedFile> {
  const response = await openFile(api, from, file.path);
  const hash = createHash("sha256");
  let size = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      hash.update(chunk);
      done(
        size > file.size ? otherSize(from, file, `more than ${file.size}`) : null,
        path === undefined ? undefined : chunk,
      );
    },
  });
  const source = Readable.fromWeb((response.body ?? new Blob([]).stream()) as import("node:stream/web").ReadableStream);
  const options = api.options.signal ? { signal: api.options.signal } : {};
  if (path === undefined) await pipeline(source, count.resume(), options);
  else await pipeline(source, count, createWriteStream(path), options);
  if (size !== file.size) throw otherSize(from, file, String(size));
  return { path: file.path, size, digest: `sha256:${hash.digest("hex")}` as Digest };
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function isLocal(error: unknown): boolean {
  return (error as NodeJS.ErrnoException)?.syscall !== undefined && "path" in (error as object);
}

function otherSize(from: ArtifactFolder, file: ArtifactFile, got: string): ActionError {
  return new ActionError("MLFLOW_ARTIFACTS_CHANGED", {
    message: `${from.uri}/${file.path} has ${got} bytes, but MLflow lists ${file.size}`,
    remedy: "re-run the job; if it comes back, the file is being overwritten or the server's storage is damaged",
    blame: "inconclusive",
  });
}

function brokenOff(from: ArtifactFolder, file: ArtifactFile, cause: unknown): ActionError {
  return new ActionError("MLFLOW_UNREACHABLE", {
    message: `the download of ${from.uri}/${file.path} broke off ${attempts} times: ${(cause as Error)?.message}`,
    remedy: "re-run the job; if it comes back, raise the limits of the proxy in front of MLflow",
    blame: "inconclusive",
    cause,
  });
}

function notWritten(path: string, cause: unknown): ActionError {
  return new ActionError("FILE_NOT_WRITTEN", {
    message: `${path} could not be written: ${(cause as Error).message}`,
    remedy: "free disk space on the runner, or correct the folder's permissions",
    blame: "inconclusive",
    cause,
  });
}

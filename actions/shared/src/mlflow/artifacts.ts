import { ActionError } from "../action-runtime/error.ts";
import type { RequestBody } from "../http/request.ts";
import type { MlflowApi } from "./api.ts";
import { assertSafePath, isSafeSegment } from "./safe-path.ts";

const proxy = "/api/2.0/mlflow-artifacts/artifacts";

/** A folder of artifacts that MLflow's server hands out itself. */
export interface ArtifactFolder {
  /** As MLflow writes it, such as `mlflow-artifacts:/1/<run>/artifacts/model`. */
  readonly uri: string;
  /** Path below the server's artifact root, without a slash at either end. */
  readonly path: string;
}

export interface ArtifactFile {
  /** Relative to the folder, with `/`. */
  readonly path: string;
  /** Bytes, as the server says. */
  readonly size: number;
}

export interface ListLimits {
  readonly files: number;
  readonly depth: number;
}

const usualLimits: ListLimits = { files: 10_000, depth: 32 };

/**
 * The folder that an artifact URI of MLflow names, with a path below it.
 *
 * @throws ActionError `MLFLOW_ARTIFACTS_NOT_PROXIED` where the server does not hand out the files itself.
 */
export function artifactFolder(api: MlflowApi, uri: string, below = ""): ArtifactFolder {
  const path = proxiedPath(api.connection.address, uri);
  if (path === undefined)
    throw new ActionError("MLFLOW_ARTIFACTS_NOT_PROXIED", {
      message: `the artifacts are at '${uri.slice(0, 200)}', which the MLflow server does not hand out itself`,
      remedy:
        "start the server with --serve-artifacts and --artifacts-destination, and use an experiment whose artifact location begins with mlflow-artifacts:/",
    });
  const inside = [path, below]
    .map((part) => part.replace(/^\/+|\/+$/g, ""))
    .filter((part) => part !== "")
    .join("/");
  assertSafePath(inside, "MLflow's artifact location");
  return { uri: below === "" ? uri : `${uri.replace(/\/+$/, "")}/${below}`, path: inside };
}

/** `mlflow-artifacts:/…`, the same with this server's name in it, or the proxy's own address on this server. */
function proxiedPath(address: string, uri: string): string | undefined {
  if (uri.startsWith(`${address}${proxy}/`)) return decodeURI(uri.slice(address.length + proxy.length));
  const match = /^mlflow-artifacts:(?:\/\/([^/]*))?(\/.*)$/.exec(uri);
  if (!match) return undefined;
  const [, host = "", path] = match;
  return host === "" || host === new URL(address).host ? path : undefined;
}

/**
 * Every file in a folder and below it, by path; empty where there is no such folder.
 *
 * @throws ActionError `MLFLOW_ARTIFACTS_REJECTED` for names that lead out of the folder, and beyond the limits.
 */
export async function listFiles(api: MlflowApi, folder: ArtifactFolder, limits = usualLimits): Promise<ArtifactFile[]> {
  const found: ArtifactFile[] = [];
  const visit = async (below: string, depth: number): Promise<void> => {
    const answer = await api.get<{ files?: { path: string; is_dir?: boolean; file_size?: number | string }[] }>(
      "mlflow-artifacts/artifacts",
      { path: below === "" ? folder.path : `${folder.path}/${below}` },
      { what: `list the artifacts in ${folder.uri}`, unless: ["RESOURCE_DOES_NOT_EXIST"] },
    );
    for (const { path: name, is_dir, file_size } of answer?.files ?? []) {
      if (!isSafeSegment(name)) throw rejected(`'${name.slice(0, 80)}' is no name of a file in ${folder.uri}`);
      const path = below === "" ? name : `${below}/${name}`;
      if (depth > limits.depth) throw rejected(`${folder.uri} is nested more than ${limits.depth} folders deep`);
      if (is_dir) await visit(path, depth + 1);
      else found.push({ path, size: Number(file_size ?? 0) });
      if (found.length > limits.files) throw rejected(`${folder.uri} holds more than ${limits.files} files`);
    }
  };
  await visit("", 1);
  return found.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

/** How many files, in words. */
export function countFiles(files: readonly unknown[]): string {
  return files.length === 1 ? "1 file" : `${files.length} files`;
}

/** The bytes of one file, not read yet. */
export async function openFile(api: MlflowApi, folder: ArtifactFolder, path: string): Promise<Response> {
  return api.open(address(folder, path), `hand out ${folder.uri}/${path}`);
}

/** Stores a file, over what was there. */
export async function uploadFile(api: MlflowApi, folder: ArtifactFolder, path: string, body: () => RequestBody) {
  assertSafePath(path, "the artifact's name");
  await api.put(address(folder, path), body, `store ${folder.uri}/${path}`);
}

function address(folder: ArtifactFolder, path: string): string {
  return `${proxy}/${`${folder.path}/${path}`.split("/").map(encodeURIComponent).join("/")}`;
}

function rejected(message: string): ActionError {
  return new ActionError("MLFLOW_ARTIFACTS_REJECTED", {
    message,
    remedy: "log a folder that holds the model's files alone, with plain names",
  });
}

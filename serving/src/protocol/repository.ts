import type { IndexEntry } from "../service.ts";
import { badRequest } from "./error.ts";
import { quote } from "./signature.ts";

/** Triton's `RepositoryIndexResponse.ModelIndex`. */
export interface RepositoryIndexEntry {
  readonly name: string;
  /** Absent when it is not known which versions the model has. */
  readonly version?: string;
  readonly state: IndexEntry["state"];
  readonly reason: string;
}

/**
 * What the model repository extension answers to `index`.
 * https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_repository.md
 *
 * @param readyOnly leaves out what cannot be asked
 */
export function repositoryIndex(index: readonly IndexEntry[], readyOnly: boolean): RepositoryIndexEntry[] {
  return index
    .filter(({ state }) => !readyOnly || state === "READY")
    .map(({ name, version, state, reason }) => ({ name, ...(version !== "" && { version }), state, reason }));
}

/** What clients send with `unload`. No model depends on another here, so that it changes nothing. */
const UNLOAD_PARAMETERS: readonly string[] = ["unload_dependents"];

/**
 * Checks the names of the parameters of a `load` or `unload` request. A configuration or files that a client sends in place
 * of the repository's are not taken.
 *
 * @throws ProtocolError (400) that names the parameter
 */
export function checkRepositoryParameters(request: "load" | "unload", names: Iterable<string>): void {
  for (const name of names) {
    if (request === "unload" && UNLOAD_PARAMETERS.includes(name)) continue;
    const remedy = request === "load" ? "; models are loaded as they lie in the repository" : "";
    throw badRequest(`${request} takes no parameter ${quote(name)}${remedy}`);
  }
}

import { ProtocolError } from "../protocol/error.ts";
import { quote } from "../protocol/signature.ts";
import type { ModelEntry } from "./model-entry.ts";

/** More names than this do not fit a message that somebody reads. */
const MAX_NAMES = 20;

/** There is no such model. */
export function noSuchModel(name: string, known: Iterable<string>): ProtocolError {
  return new ProtocolError(404, `there is no model ${quote(name)}; this server has: ${join([...known])}`);
}

/** Why a version of a model (by default its highest) is not served. */
export function notServed(entry: ModelEntry, version: string | undefined): ProtocolError {
  const index = entry.index();
  const found = version === undefined ? index.at(-1) : index.find((one) => one.version === version);
  // It is not known yet which versions there are.
  const isUndecided = index.some((one) => one.version === "");
  if (found === undefined && !isUndecided) {
    const versions = index.map((one) => one.version);
    return new ProtocolError(
      404,
      `model '${entry.name}' has no version ${quote(version ?? "")}; it has: ${join(versions)}`,
    );
  }
  const { state, reason } = found ?? index[0] ?? { state: "UNAVAILABLE", reason: "" };
  if (state === "LOADING") {
    return new ProtocolError(503, `model '${entry.name}' is still loading, try again`, { "retry-after": "1" });
  }
  const which = found?.version ? `model '${entry.name}' version ${found.version}` : `model '${entry.name}'`;
  const why = state === "UNLOADING" ? "it is being unloaded" : reason;
  return new ProtocolError(503, `${which} is not in service: ${why}`);
}

function join(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMES).join(", ");
  return names.length > MAX_NAMES ? `${shown} and ${names.length - MAX_NAMES} more` : shown || "none";
}

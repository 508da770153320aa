/** What can be wrong with a member of a request's JSON, in words. */
import { badRequest, type ProtocolError } from "../protocol/error.ts";

/**
 * A parameter that is true or false.
 *
 * @returns undefined when it is not there
 * @throws ProtocolError (400) when it is something else
 */
export function flag(owner: string, name: string, value: unknown): boolean | undefined {
  if (value === undefined || typeof value === "boolean") return value;
  throw badRequest(`${owner}: '${name}' must be true or false`);
}

/** Which of the two holds, no two readers would agree on. */
export function twice(owner: string, key: string): ProtocolError {
  return badRequest(`${owner}: '${key}' is there twice`);
}

/** An input whose data is in the JSON and behind it. */
export function twoForms(name: string): ProtocolError {
  return badRequest(`input '${name}' has both 'data' and 'binary_data_size': send one`);
}

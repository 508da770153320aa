import { ActionError } from "../action-runtime/error.ts";

/** Whether a name can only be a file or folder directly inside another. */
export function isSafeSegment(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  return name !== "" && name !== "." && name !== ".." && name.length <= 255 && !/[/\\\u0000-\u001f\u007f]/.test(name);
}

/**
 * Refuses a path that could lead out of the folder it is joined to.
 *
 * @throws ActionError `PATH_UNSAFE`
 */
export function assertSafePath(path: string, what: string): void {
  if (path.length <= 4_096 && path.split("/").every(isSafeSegment)) return;
  throw new ActionError("PATH_UNSAFE", {
    message: `${what} is '${path.slice(0, 120)}', which is no path inside a folder`,
    remedy: "use a relative path without '..', '.', backslashes and empty parts",
  });
}

import { lstat, realpath } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { ActionError } from "../../shared/src/action-runtime/error.ts";

export interface Destination {
  /** Absolute. */
  readonly folder: string;
  /** Relative to the workspace. */
  readonly path: string;
}

/**
 * The folder that the model replaces: strictly below the workspace, not through a symbolic link, and no checkout itself.
 *
 * @throws ActionError `PATH_UNSAFE`
 */
export async function resolveDestination(workspace: string, given: string): Promise<Destination> {
  const root = await realpath(workspace);
  const destination = resolve(root, given);
  const refuse = (why: string) =>
    new ActionError("PATH_UNSAFE", {
      message: `input 'path' is '${given.slice(0, 120)}', ${why}`,
      remedy: "name a folder of its own below the workspace, such as model; what it holds is replaced",
    });
  const below = relative(root, destination);
  if (below === "" || below === ".." || below.startsWith(`..${sep}`)) throw refuse("which is not below the workspace");
  for (let folder = destination; folder !== root; folder = dirname(folder)) {
    const found = await lstat(folder).catch(() => undefined);
    if (found?.isSymbolicLink()) throw refuse(`which leads through the symbolic link ${relative(root, folder)}`);
    if (found && !found.isDirectory()) throw refuse(`but ${relative(root, folder)} is a file`);
  }
  if (below.split(sep).includes(".git")) throw refuse("which is inside the Git folder");
  if (await lstat(join(destination, ".git")).catch(() => undefined)) throw refuse("which is a Git checkout of its own");
  return { folder: destination, path: below };
}

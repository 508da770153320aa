import { realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, sep } from "node:path";
import { quote } from "../protocol/signature.ts";
import { ModelError } from "./error.ts";
import { fileFault } from "./file-fault.ts";

/**
 * Holds an ONNX file to its own folder: whatever it names must lie there, links followed. The runtime refuses most of this
 * too; this does not depend on it.
 *
 * @param path the ONNX file
 * @param named files that it names, from `readStructure`
 * @throws ModelError that names the file that lies elsewhere or is missing
 */
export async function checkContained(path: string, named: readonly string[]): Promise<void> {
  const folder = dirname(path);
  // A mounted volume is full of links that stay in it (`..data`): both sides are compared without them.
  const inside = (await realpath(folder)) + sep;
  for (const location of named) {
    const fault = await faultOf(folder, inside, location);
    if (fault !== undefined) throw new ModelError(`${path} keeps tensors in ${quote(location)}: ${fault}`);
  }
}

async function faultOf(folder: string, inside: string, location: string): Promise<string | undefined> {
  const remedy = `external data must lie in ${folder}`;
  if (location === "" || location.includes("\0")) return `this is no file's name; ${remedy}`;
  if (isAbsolute(location)) return `the path is absolute; ${remedy}`;
  if (location.split(/[/\\]/).includes("..")) return `the path leads out of the folder; ${remedy}`;
  try {
    const real = await realpath(join(folder, location));
    if (!real.startsWith(inside)) return `the link leads out of the folder; ${remedy}`;
    return (await stat(real)).isFile() ? undefined : "it is not a file";
  } catch (error) {
    return fileFault(error as NodeJS.ErrnoException);
  }
}

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ModelFolder } from "./repository-folder.ts";

/** Deeper than anybody keeps weights; bounds what a link that leads in a circle can cost. */
const MAX_DEPTH = 4;

/**
 * What the files of a folder look like from outside: name, inode, size and time of change of each. Two folders that look
 * the same are taken to hold the same. What cannot be read looks like its error.
 */
export async function fingerprint(folder: string, depth = 0): Promise<string> {
  try {
    const names = (await readdir(folder)).sort();
    const parts = await Promise.all(names.map((name) => fingerprintEntry(folder, name, depth)));
    return parts.flat().join("\n");
  } catch (error) {
    return `${(error as NodeJS.ErrnoException).code}`;
  }
}

/** The same of a whole model: its `config.json` and all its versions. */
export async function fingerprintModel({ path, versions }: ModelFolder): Promise<string> {
  const config = await fingerprintFile(path, "config.json").catch(() => "");
  const folders = await Promise.all(versions.map((version) => fingerprint(join(path, version))));
  return [config, ...versions.map((version, index) => `${version}\n${folders[index]}`)].join("\n\n");
}

async function fingerprintEntry(folder: string, name: string, depth: number): Promise<string[]> {
  try {
    const path = join(folder, name);
    const { isFile, text } = await look(path, name);
    if (isFile) return [text];
    // Hidden folders hold what a volume was before and will be next: links lead to what it is.
    const isHidden = name.startsWith(".");
    return isHidden || depth >= MAX_DEPTH ? [] : [`${name}/`, await fingerprint(path, depth + 1)];
  } catch (error) {
    return [`${name} ${(error as NodeJS.ErrnoException).code}`];
  }
}

async function fingerprintFile(folder: string, name: string): Promise<string> {
  return (await look(join(folder, name), name)).text;
}

/** Follows links: a volume is changed by a link that is turned to another folder. */
async function look(path: string, name: string): Promise<{ readonly isFile: boolean; readonly text: string }> {
  const found = await stat(path, { bigint: true });
  return { isFile: !found.isDirectory(), text: `${name} ${found.ino} ${found.size} ${found.mtimeNs}` };
}

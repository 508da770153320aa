import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { inRepository } from "../repository/repository.ts";
import { ToolFailure, tool } from "../repository/tool.ts";
import { buildFolder } from "./compile.ts";

/** The files of a bundle, by name. */
export type BundleFiles = ReadonlyMap<string, Buffer>;

/** Not minified: a reviewer can read what changed in a bundle, and the budgets are met without. */
const options = ["--license", "licenses.txt", "--target", "es2024", "--no-cache", "--quiet"];

/**
 * Makes the bundle of one compiled action: `index.js` (ESM), `package.json` that says so, and `licenses.txt`. What has been
 * bundled before from the same sources, packages and options is taken from `.build/bundles`.
 *
 * @throws ToolFailure with ncc's messages.
 */
export async function bundle(action: string): Promise<BundleFiles> {
  const folder = join(buildFolder, "bundles", `${action}-${await fingerprint(action)}`);
  if (!existsSync(folder)) {
    const main = join(buildFolder, "actions", action, "src", "main.js");
    if (!existsSync(main)) throw new ToolFailure(`actions/${action}/src/main.ts is not there`);
    const partial = `${folder}.${process.pid}.partial`;
    try {
      await mkdir(partial, { recursive: true });
      await tool("ncc", ["build", main, "-o", partial, ...options]);
      await removeEarlier(action);
      await rename(partial, folder);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  }
  return readBundle(folder);
}

/** The files of a bundle that was written before; none when the folder is not there. */
export async function readBundle(folder: string): Promise<BundleFiles> {
  if (!existsSync(folder)) return new Map();
  const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)));
}

/** Puts a bundle where the runner looks for it, in place of the one that is there. */
export async function writeBundle(action: string, files: BundleFiles): Promise<void> {
  const folder = inRepository("dist", action);
  await rm(folder, { recursive: true, force: true });
  for (const [name, content] of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
}

/** Changes with everything that goes into the bundle: compiled code, locked packages, and how it is made. */
async function fingerprint(action: string): Promise<string> {
  const hash = createHash("sha256").update(options.join(" "));
  hash.update(await readFile(inRepository("package-lock.json")));
  for (const part of [action, "shared"]) {
    for (const [name, content] of await readBundle(join(buildFolder, "actions", part)))
      hash.update(`${part}/${name}:${content.length}:`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

async function removeEarlier(action: string): Promise<void> {
  const folder = join(buildFolder, "bundles");
  const earlier = new RegExp(`^${action}-[0-9a-f]{16}$`);
  for (const name of await readdir(folder))
    if (earlier.test(name)) await rm(join(folder, name), { recursive: true, force: true });
}

import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "../../../lab/src/toolchain/lock.ts";
import { inRepository, listActions } from "../repository/repository.ts";
import { eachOf, explainFailure, ToolFailure } from "../repository/tool.ts";
import { type BundleFiles, bundle, readBundle, writeBundle } from "./bundle.ts";
import { buildFolder, compile } from "./compile.ts";

/** Bundles that are made at the same time. */
const parallel = 2;

/**
 * Makes every action's bundle, and calls `use` with each that differs from the one in `dist/`. One process of this clone
 * at a time does so.
 *
 * @throws ToolFailure when one or more could not be made, after the others.
 */
function forEachStale(use: (action: string, files: BundleFiles) => Promise<void>): Promise<void> {
  const onWait = (holder: string) => console.error(`bundles: waiting for another build, ${holder}`);
  return withLock(join(buildFolder, "bundles.lock"), { onWait }, () => makeEach(use));
}

async function makeEach(use: (action: string, files: BundleFiles) => Promise<void>): Promise<void> {
  await compile();
  const failures: string[] = [];
  await eachOf(listActions(), parallel, async (action) => {
    try {
      const files = await bundle(action);
      if (!isSame(files, await readBundle(inRepository("dist", action)))) await use(action, files);
    } catch (error) {
      failures.push(`${action}: ${explainFailure(error)}`);
    }
  });
  if (failures.length > 0) throw new ToolFailure(failures.join("\n"));
}

/** Makes every action's bundle and puts those that differ into `dist/`. Resolves to the folders that changed. */
export async function buildBundles(): Promise<string[]> {
  const changed: string[] = [];
  for (const name of await findOrphans()) {
    await rm(inRepository("dist", name), { recursive: true });
    changed.push(`dist/${name} (removed)`);
  }
  await forEachStale(async (action, files) => {
    await writeBundle(action, files);
    changed.push(`dist/${action}`);
  });
  return changed;
}

/** Makes every action's bundle and compares it with `dist/`, byte by byte. Resolves to the folders that differ. */
export async function findStaleBundles(): Promise<string[]> {
  const stale = (await findOrphans()).map((name) => `dist/${name} (no such action)`);
  await forEachStale(async (action) => {
    stale.push(`dist/${action}`);
  });
  return stale;
}

/** Names in `dist/` that are no action. */
async function findOrphans(): Promise<string[]> {
  const folder = inRepository("dist");
  const actions = listActions();
  return existsSync(folder) ? (await readdir(folder)).filter((name) => !actions.includes(name)) : [];
}

function isSame(one: BundleFiles, other: BundleFiles): boolean {
  return one.size === other.size && [...one].every(([name, content]) => other.get(name)?.equals(content));
}

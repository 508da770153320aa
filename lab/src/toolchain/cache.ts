import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { Step } from "../progress/step.ts";
import { withLock } from "./lock.ts";

/** Written last into every finished folder; its time says when the folder was last used. */
const COMPLETE = ".complete";
/** Older builds of a tool are removed when nobody used them for this long. */
const KEEP_UNUSED_MS = 14 * 24 * 3600 * 1000;

/** The folder that this project keeps its tools in: `$MLOPS_ACTIONS_CACHE`, else one in the user's cache folder. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment.MLOPS_ACTIONS_CACHE) return environment.MLOPS_ACTIONS_CACHE;
  return join(environment.XDG_CACHE_HOME || join(homedir(), ".cache"), "mlops-actions");
}

/** The folder of the toolchains' `bin` folders: each holds links to the programs of one set of tools. */
export function linksFolder(): string {
  return join(cacheFolder(), "tools", ".bin");
}

/** Twelve hexadecimal digits that change with any of the parts. */
export function recipeHash(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex").slice(0, 12);
}

/** A place in the cache for one thing made by one recipe. */
export interface Slot {
  /** For example `tools/kubernetes`. */
  readonly shelf: string;
  /** For example `1.34.4-0f3a…`. */
  readonly key: string;
}

/** Where a slot's content is, or will be. */
export function slotFolder(slot: Slot): string {
  return join(cacheFolder(), slot.shelf, slot.key);
}

/** Whether a slot has its content; marks it as used. */
export function isFilled(slot: Slot): boolean {
  const marker = join(slotFolder(slot), COMPLETE);
  if (!existsSync(marker)) return false;
  try {
    const now = new Date();
    utimesSync(marker, now, now);
  } catch {
    // A cache that is shared read-only is still good to use.
  }
  return true;
}

export interface FillOptions {
  /** The content knows its own path and cannot be moved: it is made in its final place. */
  readonly inPlace?: boolean;
}

/**
 * Fills a slot once, whoever asks and however often: under a lock, in a temporary folder that is renamed at the end.
 * @param make writes the content into the folder it is given.
 * @returns the folder with the content.
 */
export async function fill(
  slot: Slot,
  step: Step,
  make: (folder: string) => Promise<void>,
  options: FillOptions = {},
): Promise<string> {
  const folder = slotFolder(slot);
  const lock = join(dirname(folder), ".lock");
  const onWait = (holder: string) => {
    step.detail = `waiting for ${holder}, which makes it`;
  };
  await withLock(lock, { onWait, ...(step.signal && { signal: step.signal }) }, async () => {
    step.detail = "";
    if (isFilled(slot)) return;
    const workplace = options.inPlace ? folder : join(dirname(folder), `.${slot.key}.partial`);
    rmSync(workplace, { recursive: true, force: true });
    mkdirSync(workplace, { recursive: true });
    await make(workplace);
    step.checkpoint();
    writeFileSync(join(workplace, COMPLETE), "");
    if (workplace !== folder) {
      rmSync(folder, { recursive: true, force: true });
      renameSync(workplace, folder);
    }
    removeUnused(dirname(folder), slot.key);
  });
  return folder;
}

function removeUnused(shelf: string, keep: string): void {
  for (const name of readdirSync(shelf)) {
    const marker = join(shelf, name, COMPLETE);
    if (name === keep || !existsSync(marker)) continue;
    if (Date.now() - statSync(marker).mtimeMs > KEEP_UNUSED_MS)
      rmSync(join(shelf, name), { recursive: true, force: true });
  }
}

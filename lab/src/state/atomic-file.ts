import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Writes a file so that a reader, and a process killed in the middle, leave the old content or the new, never a part.
 * @param mode permission bits; readable by its owner only when left out, since many of the lab's files hold keys.
 */
export function writeAtomically(path: string, content: string, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, content, { mode });
  renameSync(temporary, path);
}

/** Writes a file unless it has that content already, so that what watches it is not woken for nothing. */
export function writeIfDifferent(path: string, content: string, mode?: number): void {
  try {
    if (readFileSync(path, "utf8") === content) return;
  } catch {
    // not there yet
  }
  writeAtomically(path, content, mode);
}

import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { cancelled, LabError } from "../progress/error.ts";

/** Exit code that we have `flock` use for "somebody else holds it". */
const HELD_BY_ANOTHER = 75;
const ASK_AGAIN_MS = 300;

interface Holder {
  readonly release: () => void;
}

/**
 * Takes the kernel's lock on a file if it is free. A small child holds it for as long as this process keeps its standard
 * input open, so the lock goes when this process goes, in whichever way: a killed holder leaves nothing to clean up.
 */
function take(file: string): Promise<Holder | undefined> {
  const options = ["--exclusive", "--nonblock", "--conflict-exit-code", String(HELD_BY_ANOTHER)];
  const child = spawn("flock", [...options, file, "sh", "-c", "echo held; exec cat"], {
    detached: true, // a Ctrl-C at the terminal is for this process, which releases in order
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.on("error", () => undefined);
  return new Promise((resolve, reject) => {
    child.stdout.once("data", () => {
      child.unref();
      resolve({ release: () => child.stdin.end() });
    });
    child.once("error", (cause) => {
      const remedy = "install util-linux";
      reject(new LabError("LOCK_UNAVAILABLE", "flock is not on this machine", { remedy, cause }));
    });
    child.once("exit", (code) => {
      if (code === HELD_BY_ANOTHER) return resolve(undefined);
      const remedy = `check who may write ${file}`;
      reject(new LabError("LOCK_FAILED", `flock ended with exit code ${code} on ${file}`, { remedy }));
    });
  });
}

export interface LockOptions {
  /** Called once when another process holds the lock, with a description of that process. */
  readonly onWait: (holder: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Runs work while no other process runs work under the same lock file. Waits as long as the other one needs.
 * @throws LabError CANCELLED when the signal aborts while waiting.
 */
export async function withLock<T>(file: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  let holder = await take(file);
  if (!holder) options.onWait(readFileSync(file, "utf8").trim() || "another process");
  while (!holder) {
    if (options.signal?.aborted) throw cancelled("waiting for a lock");
    await sleep(ASK_AGAIN_MS);
    holder = await take(file);
  }
  try {
    writeFileSync(file, `process ${process.pid} in ${process.cwd()}\n`);
    return await work();
  } finally {
    holder.release();
  }
}

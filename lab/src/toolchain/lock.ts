import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { cancelled, LabError } from "../progress/error.ts";

/** Exit code that we have `flock` use for "somebody else holds it". */
const HELD_BY_ANOTHER = 75;

interface Holder {
  readonly release: () => void;
}

/**
 * Tries to take the kernel's lock on a file. A small child holds it for as long as this process keeps its standard input
 * open, so the lock goes when this process goes, in whichever way: a killed holder leaves nothing to clean up.
 */
function take(file: string, wait: boolean, signal: AbortSignal | undefined): Promise<Holder | undefined> {
  const mode = wait ? [] : ["--nonblock", "--conflict-exit-code", String(HELD_BY_ANOTHER)];
  const child = spawn("flock", ["--exclusive", ...mode, file, "sh", "-c", "echo held; exec cat"], {
    detached: true, // a Ctrl-C at the terminal is for this process, which releases in order
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.on("error", () => undefined);
  const release = () => child.stdin.end();
  return new Promise((resolve, reject) => {
    const abort = () => {
      child.kill("SIGTERM");
      reject(cancelled("waiting for a lock"));
    };
    signal?.addEventListener("abort", abort, { once: true });
    child.stdout.once("data", () => {
      signal?.removeEventListener("abort", abort);
      child.unref();
      resolve({ release });
    });
    child.once("error", (cause) =>
      reject(new LabError("LOCK_UNAVAILABLE", "flock is not on this machine", { remedy: "install util-linux", cause })),
    );
    child.once("exit", (code) => {
      signal?.removeEventListener("abort", abort);
      if (code === HELD_BY_ANOTHER) return resolve(undefined);
      reject(
        new LabError("LOCK_FAILED", `flock ended with exit code ${code} on ${file}`, {
          remedy: `check who may write ${file}`,
        }),
      );
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
  let holder = await take(file, false, options.signal);
  if (!holder) {
    options.onWait(readFileSync(file, "utf8").trim() || "another process");
    holder = await take(file, true, options.signal);
  }
  try {
    writeFileSync(file, `process ${process.pid} in ${process.cwd()}\n`);
    return await work();
  } finally {
    holder?.release();
  }
}

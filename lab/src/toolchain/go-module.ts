import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LabError } from "../progress/error.ts";
import type { Step } from "../progress/step.ts";
import { goEnvironment, goLock } from "./go.ts";
import { withLock } from "./lock.ts";

/** A Go module at one version, of which files are wanted, not programs. */
export interface GoModule {
  readonly module: string;
  /** Without the `v`. */
  readonly version: string;
  /** Its checksum as go.sum writes it: `h1:…`. */
  readonly sum: string;
}

/**
 * Downloads a Go module and hands out its folder, which is read-only and may be gone afterwards.
 * @throws LabError GO_MODULE_SUM when the module is not the one that is pinned; COMMAND_FAILED.
 */
export async function withGoModule<T>(pinned: GoModule, step: Step, use: (folder: string) => T | Promise<T>) {
  const onWait = (holder: string) => {
    step.detail = `waiting for another Go build, ${holder}`;
  };
  return withLock(goLock(), { onWait, ...(step.signal && { signal: step.signal }) }, async (): Promise<T> => {
    const name = `${pinned.module}@v${pinned.version}`;
    step.detail = name;
    // Outside of any module, so that only this one is looked at.
    const outside = mkdtempSync(join(tmpdir(), "go-module-"));
    try {
      const answer = await step.run("go", ["mod", "download", "-json", name], {
        cwd: outside,
        environment: goEnvironment(),
        remedy: "the Go module proxy (GOPROXY) must be reachable the first time; see the log above",
        timeoutSeconds: 600,
      });
      const { Sum, Dir } = JSON.parse(answer) as { Sum: string; Dir: string };
      if (Sum !== pinned.sum)
        throw new LabError("GO_MODULE_SUM", `${name} has the checksum ${Sum}, not ${pinned.sum}`, {
          remedy: "do not use it: the proxy served other bytes than those that were reviewed",
        });
      return await use(Dir);
    } finally {
      rmSync(outside, { recursive: true, force: true });
    }
  });
}

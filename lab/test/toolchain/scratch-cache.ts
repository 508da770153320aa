import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { Progress } from "../../src/progress/progress.ts";
import { Step } from "../../src/progress/step.ts";

/** Gives every test of a file a cache folder of its own. */
export function useScratchCache() {
  const before = process.env.MLOPS_ACTIONS_CACHE;
  let root = "";
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "cache-test-"));
    process.env.MLOPS_ACTIONS_CACHE = join(root, "cache");
  });
  afterEach(() => {
    if (before === undefined) delete process.env.MLOPS_ACTIONS_CACHE;
    else process.env.MLOPS_ACTIONS_CACHE = before;
    rmSync(root, { recursive: true, force: true });
  });
  return {
    get root() {
      return root;
    },
    step: (signal?: AbortSignal) => new Step("test", join(root, "step.log"), signal, () => undefined),
    progress: (lines: string[] = []) =>
      new Progress({ logs: join(root, "logs"), output: { write: (text: string) => lines.push(text) } }),
  };
}

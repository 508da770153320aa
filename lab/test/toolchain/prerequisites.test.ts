import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { checkPrerequisites, missingPackages } from "../../src/toolchain/prerequisites.ts";
import { useScratchCache } from "./scratch-cache.ts";

const scratch = useScratchCache();
const path = process.env.PATH;
afterEach(() => {
  process.env.PATH = path;
});

/** Makes these little programs the only ones on PATH. */
function onlyPrograms(programs: Readonly<Record<string, string>>): void {
  const bin = join(scratch.root, "bin");
  mkdirSync(bin);
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  process.env.PATH = bin;
}

test("one error names everything that is missing, and how to get each", async () => {
  onlyPrograms({});
  const check = checkPrerequisites(["act", "helm", "etcd", "mlflow"]);
  await expect(check).rejects.toMatchObject({
    code: "PREREQUISITES",
    message: expect.stringMatching(
      /flock is missing[\s\S]*Go is missing[\s\S]*Python 3 .* is missing[\s\S]*npm is missing[\s\S]*apt-get .* missing/,
    ),
    remedy: expect.stringMatching(
      /util-linux[\s\S]*install Go 1\.\d+[\s\S]*python3-venv[\s\S]*install Node 20[\s\S]*Debian 12/,
    ),
  });
});

test("only what the tools need is asked for", async () => {
  onlyPrograms({ flock: "", npm: "", python3: "echo 3.11.2" });
  await expect(checkPrerequisites(["helm"])).resolves.toBeUndefined();
});

test.each([
  ["python3", "echo 3.9.18", "Python is too old: 3.9.18"],
  ["go", 'printf "go1.22.1\\nlocal\\n"', "Go is too old: 1.22.1"],
])("a %s that is too old is refused with its version", async (program, body, problem) => {
  onlyPrograms({ flock: "", python3: "echo 3.12.0", go: 'printf "go1.99.0\\nlocal\\n"', [program]: body });
  await expect(checkPrerequisites(["mlflow", "pause", "act"])).rejects.toMatchObject({
    message: expect.stringContaining(problem),
  });
});

test("a Go that fetches newer ones by itself is good enough", async () => {
  onlyPrograms({ flock: "", go: 'printf "go1.22.1\\nauto\\n"' });
  await expect(checkPrerequisites(["act"])).resolves.toBeUndefined();
});

test("a package is needed once, however many of its programs are missing", () => {
  const executables = { "no-such-a": "pack", "no-such-b": "pack", sh: "dash" };
  expect(missingPackages([{ kind: "system", executables }])).toEqual(["pack"]);
});

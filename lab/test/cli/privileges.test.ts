import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { requireRoot, runAsRoot } from "../../src/privileges.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "privileges-"));
  vi.stubEnv("PATH", `${folder}:/usr/bin:/bin`);
  vi.spyOn(process, "getuid").mockReturnValue(1000);
});

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

/** A sudo that notes what it was asked for and then ends with this exit code. */
function sudo(code: number): void {
  const file = join(folder, "sudo");
  writeFileSync(file, `#!/bin/sh\n[ "$2" = true ] || printf '%s\\n' "$@" > ${folder}/asked\nexit ${code}\n`);
  chmodSync(file, 0o755);
}

test("a user whom sudo lets in has the same command line run as root, with home and search path kept", () => {
  sudo(0);
  const exit = vi.spyOn(process, "exit").mockReturnValue(undefined as never);
  runAsRoot();
  expect(exit).toHaveBeenCalledWith(0);
  const asked = readFileSync(join(folder, "asked"), "utf8").trim().split("\n");
  expect(asked.slice(0, 3)).toEqual(["--non-interactive", "--preserve-env", "env"]);
  expect(asked).toContain(`HOME=${process.env.HOME}`);
  expect(asked).toContain(`PATH=${process.env.PATH}`);
  expect(asked).toContain(process.execPath);
});

test("a user whom sudo asks for a password is told what to do", () => {
  sudo(1);
  expect(() => runAsRoot()).toThrow(expect.objectContaining({ code: "NOT_ROOT" }));
});

test("a program that opens a lab without being root is told so", () => {
  expect(() => requireRoot()).toThrow(
    expect.objectContaining({ code: "NOT_ROOT", remedy: expect.stringContaining("root") }),
  );
});

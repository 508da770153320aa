import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runChild } from "../progress/run-child.ts";
import type { Step } from "../progress/step.ts";
import { recipeHash } from "./cache.ts";

const REQUIREMENTS = join(import.meta.dirname, "python");

/** The file with the pinned packages of one of the lab's own environments. */
export function requirementsFile(name: string): string {
  return join(REQUIREMENTS, name);
}

/** Changes with the packages of a requirements file. */
export function pythonRecipe(requirements: string): string {
  return recipeHash(readFileSync(requirements));
}

/** The version of the Python on this machine, or undefined where there is none that can make environments. */
export async function installedPython(): Promise<string | undefined> {
  try {
    const program = "import sys, venv, ensurepip; print('%d.%d.%d' % sys.version_info[:3])";
    const { code, stdout } = await runChild("python3", ["-c", program]);
    return code === 0 ? stdout.trim() : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Makes a virtual environment with exactly the packages of a requirements file, every one checked against its hash.
 * @param folder the environment's final place: environments cannot be moved.
 */
export async function makePython(folder: string, requirements: string, step: Step): Promise<void> {
  await step.run("python3", ["-m", "venv", folder], { remedy: "install Python's venv module (Debian: python3-venv)" });
  const flags = [
    "--require-hashes",
    "--no-deps",
    "--only-binary=:all:",
    "--no-input",
    "--disable-pip-version-check",
    "--progress-bar=off",
  ];
  let packages = 0;
  await step.run(join(folder, "bin", "python"), ["-m", "pip", "install", ...flags, "--requirement", requirements], {
    remedy: "the Python package index must be reachable the first time; see pip's message above",
    onLine: (line) => {
      if (line.startsWith("Collecting ")) step.detail = `${++packages} packages fetched`;
      else if (line.startsWith("Installing collected")) step.detail = `installing ${packages} packages`;
    },
    timeoutSeconds: 1800,
  });
  rmSync(join(folder, ".gitignore"), { force: true });
  step.detail = `${packages} packages`;
}

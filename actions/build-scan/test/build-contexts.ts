import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { inject } from "vitest";
import { parseRepository } from "../../shared/src/oci/reference.ts";
import { RegistryClient } from "../../shared/src/oci/registry.ts";
import { runnerFolders } from "../../shared/test/action-process.ts";

/** Writes a build context into a folder, by path and content. */
function writeContext(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

/** An image of one small file. `mark` makes its bytes its own. */
export const cleanContext = (mark: string) => ({
  Dockerfile: "FROM scratch\nCOPY mark /mark\n",
  mark: `${mark}\n`,
});

/** The same with minimist 1.2.5 in it: CVE-2021-44906, critical. */
export const vulnerableContext = (mark: string) => ({
  Dockerfile: "FROM scratch\nCOPY mark /mark\nCOPY app /app\n",
  mark: `${mark}\n`,
  "app/node_modules/minimist/package.json": JSON.stringify({ name: "minimist", version: "1.2.5", license: "MIT" }),
});

let number = 0;

/** A workspace with these files, and a repository of its own in the lab's registry. */
export function prepare(files: (mark: string) => Readonly<Record<string, string>>) {
  const lab = inject("lab");
  number += 1;
  const path = `build-${process.pid}/n${number}`;
  const { workspace, environment } = runnerFolders();
  writeContext(workspace, files(path));
  const temp = environment.RUNNER_TEMP ?? "";
  const machine = { ...lab.environment, ...environment, GITHUB_REPOSITORY: "acme/digits", GITHUB_SHA: "0123abcd" };
  const client = new RegistryClient(parseRepository(`${lab.addresses.registry}/${path}`));
  return { image: `${lab.addresses.registry}/${path}`, path, temp, machine, client };
}

/** Command lines on this machine that hold a text. */
export function processesWith(text: string): string[] {
  const lines = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      } catch {
        return "";
      }
    });
  return lines.filter((line) => line.includes(text));
}

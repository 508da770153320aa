import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "../progress/error.ts";
import type { LabHome } from "../state/home.ts";

const ROOT = "/sys/fs/cgroup";

/** The mounted hierarchies: the only one of version 2, or one for each controller of version 1. */
function hierarchies(): string[] {
  const mounts = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "));
  return mounts
    .filter(([, path, type]) => path?.startsWith(ROOT) && (type === "cgroup" || type === "cgroup2"))
    .map(([, path = ""]) => path);
}

/** Makes the cgroup below which the lab's pods run. */
export function makeCgroup(home: LabHome): void {
  for (const hierarchy of hierarchies()) mkdirSync(join(hierarchy, home.cgroup), { recursive: true });
}

function removeTree(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(folder, entry.name));
  }
  rmdirSync(folder);
}

/**
 * Removes the lab's cgroups. Their processes are killed by then, but the kernel may take a moment to let go of them.
 * @throws LabError CGROUP_STAYS
 */
export async function removeCgroups(home: LabHome): Promise<void> {
  for (const hierarchy of hierarchies()) {
    const folder = join(hierarchy, home.cgroup);
    for (const deadline = Date.now() + 5000; ; await sleep(50)) {
      try {
        removeTree(folder);
        break;
      } catch (cause) {
        if (Date.now() < deadline) continue;
        const remedy = `see which processes it holds: cat ${folder}/cgroup.procs`;
        throw new LabError("CGROUP_STAYS", `the cgroup ${folder} cannot be removed`, { remedy, cause });
      }
    }
  }
}

/**
 * What this process may use of the machine: its cgroup's CPU quota and memory limit. Node tells neither a quota that is no
 * whole number nor a limit above its own group.
 *
 * https://docs.kernel.org/admin-guide/cgroup-v2.html, https://docs.kernel.org/admin-guide/cgroup-v1/
 */
import { readFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import { posix } from "node:path";

/** What may be used at most. */
export interface ResourceLimits {
  /** CPUs, as a number that need not be whole: 0.5 is half of one. */
  readonly cpus: number;
  readonly memoryBytes: number;
}

/** Reads a small text file; undefined when it is not there or may not be read. */
export type ReadText = (path: string) => string | undefined;

/** The limits of this process: those of its cgroup, or the machine's where they are smaller. */
export function readLimits(read: ReadText = readText): ResourceLimits {
  const { cpus = Number.POSITIVE_INFINITY, memoryBytes = Number.POSITIVE_INFINITY } = cgroupLimits(read);
  return { cpus: Math.min(cpus, availableParallelism()), memoryBytes: Math.min(memoryBytes, totalmem()) };
}

/** What the cgroups of this process, v1 or v2, limit. A group's limit holds for the groups below it: the least counts. */
export function cgroupLimits(read: ReadText): Partial<ResourceLimits> {
  const groups = parseGroups(read("/proc/self/cgroup") ?? "");
  const mounts = parseMounts(read("/proc/self/mountinfo") ?? "");
  const least = (controller: string, limitOf: (folder: string) => number | undefined): number | undefined => {
    const limits = mounts
      .flatMap((mount) => foldersOf(mount, groups, controller))
      .map(limitOf)
      .filter((limit) => limit !== undefined);
    return limits.length === 0 ? undefined : Math.min(...limits);
  };
  const file = (folder: string, name: string) => read(posix.join(folder, name)) ?? "";
  const cpus = least(
    "cpu",
    (folder) =>
      parseCpuMax(file(folder, "cpu.max")) ??
      parseCfsQuota(file(folder, "cpu.cfs_quota_us"), file(folder, "cpu.cfs_period_us")),
  );
  const memoryBytes = least(
    "memory",
    (folder) => parseBytes(file(folder, "memory.max")) ?? parseBytes(file(folder, "memory.limit_in_bytes")),
  );
  return { ...(cpus === undefined ? {} : { cpus }), ...(memoryBytes === undefined ? {} : { memoryBytes }) };
}

/** v2's `cpu.max`: "150000 100000" are 1.5 CPUs; "max 100000" is no limit. */
export function parseCpuMax(text: string): number | undefined {
  const [quota = "", period = ""] = text.trim().split(/\s+/);
  return parseCfsQuota(quota, period);
}

/** v1's `cpu.cfs_quota_us` and `cpu.cfs_period_us`; a quota of -1 is no limit. */
export function parseCfsQuota(quota: string, period: string): number | undefined {
  const [quotaUs, periodUs] = [wholeNumber(quota), wholeNumber(period)];
  return quotaUs === undefined || periodUs === undefined ? undefined : quotaUs / periodUs;
}

/** `memory.max` or `memory.limit_in_bytes`; "max", or 2^63 rounded down to a page, is no limit. */
export function parseBytes(text: string): number | undefined {
  const bytes = wholeNumber(text);
  return bytes === undefined || bytes > 2 ** 60 ? undefined : bytes;
}

function wholeNumber(text: string): number | undefined {
  const digits = text.trim();
  return /^\d+$/.test(digits) && Number(digits) > 0 ? Number(digits) : undefined;
}

/** A hierarchy as it is mounted. */
interface Mount {
  readonly version: 1 | 2;
  /** v1: what the hierarchy controls. */
  readonly controllers: readonly string[];
  /** Which group is seen at `path`. In a container often its own, and not "/". */
  readonly root: string;
  readonly path: string;
}

/** proc_pid_mountinfo(5). */
function parseMounts(mountinfo: string): Mount[] {
  return mountinfo.split("\n").flatMap((line): Mount[] => {
    const [before = "", after = ""] = line.split(" - ", 2);
    const [, , , root = "", path = ""] = before.split(" ");
    const [type, , options = ""] = after.split(" ");
    if (type === "cgroup2") return [{ version: 2, controllers: [], root, path }];
    if (type === "cgroup") return [{ version: 1, controllers: options.split(","), root, path }];
    return [];
  });
}

/** The group of this process in the hierarchy of each controller; v2's one hierarchy has the name "". cgroups(7). */
function parseGroups(text: string): ReadonlyMap<string, string> {
  const groups = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    for (const controller of controllers.split(",")) groups.set(controller, path);
  }
  return groups;
}

/** The folders of this process's group and of those above it, as far as the mount shows them. */
function foldersOf(mount: Mount, groups: ReadonlyMap<string, string>, controller: string): string[] {
  if (mount.version === 1 && !mount.controllers.includes(controller)) return [];
  const group = groups.get(mount.version === 1 ? controller : "");
  if (group === undefined) return [];
  // Inside a container the group's path may be one of the host's, that is not seen here: then the mount is the group.
  const below = mount.root === "/" ? group : group.startsWith(mount.root) ? group.slice(mount.root.length) : "";
  const folders = [mount.path];
  for (const part of below.split("/").filter((name) => name !== "" && name !== "..")) {
    folders.push(posix.join(folders.at(-1) ?? mount.path, part));
  }
  return folders;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

import { statfsSync } from "node:fs";
import { LabError } from "../progress/error.ts";
import { findProgram, runChild } from "../progress/run-child.ts";
import { cacheFolder } from "./cache.ts";
import { findSystemProgram } from "./debian.ts";
import { installedGo, requiredGo } from "./go.ts";
import { type Tool, type ToolName, toolOf } from "./manifest.ts";
import { installedPython } from "./python.ts";
import { atLeast, newest } from "./version.ts";

const OLDEST_PYTHON = "3.10";
/** Go's caches while everything is built, and the finished tools. */
const GO_DISK_GB = 12;

/** Something that this project expects on a machine and does not install itself. */
export interface MissingPrerequisite {
  /** What is wrong, for example `Go is too old: 1.21.0`. */
  readonly problem: string;
  readonly remedy: string;
}

type Check = (tools: readonly Tool[]) => Promise<MissingPrerequisite | undefined>;

async function platform(): Promise<MissingPrerequisite | undefined> {
  if (process.platform === "linux" && process.arch === "x64") return undefined;
  return {
    problem: `the lab runs on Linux x64, not on ${process.platform} ${process.arch}`,
    remedy: "use a Linux x64 machine",
  };
}

async function lockTool(): Promise<MissingPrerequisite | undefined> {
  if (findProgram("flock")) return undefined;
  return { problem: "flock is missing", remedy: "install util-linux" };
}

async function go(tools: readonly Tool[]): Promise<MissingPrerequisite | undefined> {
  const required = newest(tools.flatMap((tool) => (tool.kind === "go" ? [requiredGo(tool)] : [])));
  if (required === undefined) return undefined;
  const remedy = `install Go ${required} or newer (go.dev/dl) and put its bin folder on PATH`;
  const installed = await installedGo();
  if (!installed) return { problem: "Go is missing", remedy };
  if (atLeast(installed.version, required) || (installed.fetchesNewer && atLeast(installed.version, "1.21")))
    return undefined;
  return { problem: `Go is too old: ${installed.version}, not ${required} or newer`, remedy };
}

async function goDisk(tools: readonly Tool[]): Promise<MissingPrerequisite | undefined> {
  if (!tools.some((tool) => tool.kind === "go" && tool.minutes > 1)) return undefined;
  const free = freeGigabytes(cacheFolder());
  if (free >= GO_DISK_GB) return undefined;
  return {
    problem: `too little disk: ${free.toFixed(1)} GB are free for ${cacheFolder()}, and building needs ${GO_DISK_GB} GB for a while`,
    remedy: "free disk space, or set MLOPS_ACTIONS_CACHE to a folder on a larger disk",
  };
}

function freeGigabytes(folder: string): number {
  for (let path = folder; ; path = path.slice(0, path.lastIndexOf("/")) || "/") {
    try {
      const { bavail, bsize } = statfsSync(path);
      return (bavail * bsize) / 1e9;
    } catch (error) {
      if (path === "/") throw error;
    }
  }
}

async function python(tools: readonly Tool[]): Promise<MissingPrerequisite | undefined> {
  const environments = tools.some((tool) => tool.kind === "python");
  if (!environments && !tools.some((tool) => tool.kind === "npm")) return undefined;
  const remedy = `install Python ${OLDEST_PYTHON} or newer with its venv module (Debian: python3 python3-venv)`;
  const version = await installedPython();
  if (!version) return { problem: "Python 3 with the modules venv and ensurepip is missing", remedy };
  return atLeast(version, OLDEST_PYTHON) ? undefined : { problem: `Python is too old: ${version}`, remedy };
}

async function npm(tools: readonly Tool[]): Promise<MissingPrerequisite | undefined> {
  if (!tools.some((tool) => tool.kind === "npm") || findProgram("npm")) return undefined;
  return { problem: "npm is missing", remedy: "install Node 20 or newer with npm (nodejs.org)" };
}

async function debian(tools: readonly Tool[]): Promise<MissingPrerequisite | undefined> {
  if (!tools.some((tool) => tool.kind === "debian") || (findProgram("apt-get") && findProgram("dpkg-deb")))
    return undefined;
  return { problem: "apt-get and dpkg-deb are missing", remedy: "use Debian 12 or newer, or Ubuntu 22.04 or newer" };
}

async function systemPackages(tools: readonly Tool[]): Promise<MissingPrerequisite | undefined> {
  const packages = missingPackages(tools);
  if (packages.length === 0 || (await canBeRoot())) return undefined;
  return {
    problem: `these packages are not installed, and this user may not install them: ${packages.join(", ")}`,
    remedy: `as root: apt-get install ${packages.join(" ")}; or run this command as root, or allow passwordless sudo`,
  };
}

async function canBeRoot(): Promise<boolean> {
  if (process.getuid?.() === 0) return true;
  if (!findProgram("sudo")) return false;
  return (await runChild("sudo", ["--non-interactive", "true"])).code === 0;
}

/** The system packages that have to be installed for some tools, sorted. */
export function missingPackages(tools: readonly Tool[]): string[] {
  const missing = tools
    .filter((tool) => tool.kind === "system")
    .flatMap((tool) => Object.entries(tool.executables))
    .filter(([executable]) => !findSystemProgram(executable))
    .map(([, name]) => name);
  return [...new Set(missing)].sort();
}

/** Everything that may be found missing, each check with the tools that are to be set up. */
export const PREREQUISITES: readonly Check[] = [platform, lockTool, go, goDisk, python, npm, debian, systemPackages];

/** The prerequisites that this machine lacks for setting up these tools. */
export async function missingPrerequisites(names: readonly ToolName[]): Promise<MissingPrerequisite[]> {
  const tools = names.map(toolOf);
  const found = await Promise.all(PREREQUISITES.map((check) => check(tools)));
  return found.filter((missing) => missing !== undefined);
}

/** @throws LabError PREREQUISITES that names everything that is missing, and how to get each. */
export async function checkPrerequisites(names: readonly ToolName[]): Promise<void> {
  const missing = await missingPrerequisites(names);
  if (missing.length === 0) return;
  const problems = missing.map(({ problem }) => `\n    - ${problem}`).join("");
  const remedies = missing.map(({ remedy }) => `\n    - ${remedy}`).join("");
  throw new LabError("PREREQUISITES", `this machine lacks something that the lab needs:${problems}`, {
    remedy: remedies,
  });
}

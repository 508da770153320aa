import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";
import { LabError } from "../progress/error.ts";
import { findProgram, runChild } from "../progress/run-child.ts";
import type { Step } from "../progress/step.ts";
import { linksFolder } from "./cache.ts";
import type { DebianTool } from "./manifest.ts";

const EXECUTABLE_FOLDERS = ["usr/bin", "usr/sbin", "bin", "sbin"];
const LIBRARY_FOLDERS = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib"];
const ONLINE = "the distribution's package archive must be reachable the first time; see apt's message above";

/** The distribution's release, for example `bookworm`: package versions differ between releases. */
export function distribution(osRelease = readFileSync("/etc/os-release", "utf8")): string {
  const value = (key: string) => new RegExp(`^${key}="?([^"\\n]*)"?$`, "m").exec(osRelease)?.[1];
  return value("VERSION_CODENAME") ?? `${value("ID") ?? "linux"}-${value("VERSION_ID") ?? "rolling"}`;
}

/** Words in front of a command that has to run as root. */
export function asRoot(): readonly string[] {
  return process.getuid?.() === 0 ? [] : ["sudo", "--non-interactive"];
}

async function apt(args: readonly string[], step: Step): Promise<void> {
  const [command = "apt-get", ...words] = [...asRoot(), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", ...args];
  await step.run(command, words, { remedy: ONLINE, timeoutSeconds: 900 });
}

/** Fetches the distribution's package lists, once for a process. */
let listsUpdated: Promise<void> | undefined;
function updateLists(step: Step): Promise<void> {
  listsUpdated ??= apt(["update", "--quiet", "-o", "DPkg::Lock::Timeout=300"], step);
  return listsUpdated;
}

async function isInstalled(name: string): Promise<boolean> {
  if (!findProgram("dpkg-query")) return false;
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is dpkg's own template
  const format = "${db:Status-Status}";
  const { code, stdout } = await runChild("dpkg-query", ["--show", `--showformat=${format}`, name]);
  return code === 0 && stdout === "installed";
}

/**
 * Downloads a package of the distribution into a folder, checked by apt against its signed index. Nothing is installed.
 * @returns the `.deb` file.
 */
async function downloadDeb(name: string, folder: string, step: Step): Promise<string> {
  const download = ["download", "--quiet", "-o", "APT::Sandbox::User=root", name];
  const first = await runChild("apt-get", download, {
    cwd: folder,
    log: step.log,
    timeoutSeconds: 600,
    ...(step.signal && { signal: step.signal }),
  });
  if (first.code !== 0) {
    // The usual cause: lists that were never fetched, or that are older than the archive.
    await updateLists(step);
    await step.run("apt-get", download, { cwd: folder, remedy: ONLINE, timeoutSeconds: 600 });
  }
  const file = readdirSync(folder).find((entry) => entry.endsWith(".deb"));
  if (!file) throw new LabError("DEBIAN_PACKAGE_CONTENT", `apt-get downloaded no package ${name}`, { remedy: ONLINE });
  return join(folder, file);
}

/** Copies a tool's files into `folder/bin`: from the installed package, or else from a downloaded one. */
export async function takeDebian(tool: DebianTool, folder: string, step: Step): Promise<void> {
  let root = "/";
  const scratch = mkdtempSync(join(folder, "deb-"));
  if (!(await isInstalled(tool.package))) {
    root = join(scratch, "root");
    const deb = await downloadDeb(tool.package, scratch, step);
    await step.run("dpkg-deb", ["--extract", deb, root], { remedy: "free disk space, and run the same command again" });
  }
  mkdirSync(join(folder, "bin"), { recursive: true });
  for (const file of wantedFiles(tool, root)) copyFileSync(file, join(folder, "bin", basename(file)));
  rmSync(scratch, { recursive: true });
}

function wantedFiles(tool: DebianTool, root: string): string[] {
  if (tool.folder !== undefined) {
    const folder = join(root, tool.folder);
    return readdirSync(folder).map((name) => join(folder, name));
  }
  const { executables = [], libraries = [] } = tool;
  return [
    ...executables.map((name) => findFile(tool, root, EXECUTABLE_FOLDERS, "program", name)),
    ...libraries.map((name) => findFile(tool, root, LIBRARY_FOLDERS, "library", name)),
  ];
}

function findFile(tool: DebianTool, root: string, folders: readonly string[], kind: string, name: string): string {
  const file = folders.map((folder) => join(root, folder, name)).find((candidate) => existsSync(candidate));
  if (file) return file;
  throw new LabError(
    "DEBIAN_PACKAGE_CONTENT",
    `the package ${tool.package} of this distribution has no ${kind} ${name}`,
    { remedy: "use Debian 12 or newer, or Ubuntu 22.04 or newer" },
  );
}

/** Where systems keep their programs; the administrators' folders count although they may not be on PATH. */
const SYSTEM_FOLDERS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Where a program of the system is. In a shell that has a lab's variables PATH begins with the toolchain's own links: what
 * they lead to is looked for, not they themselves, so that the answer is the same with those variables and without.
 */
export function findSystemProgram(name: string, systemFolders = SYSTEM_FOLDERS): string | undefined {
  const isOwn = (folder: string) => dirname(folder) === linksFolder();
  const path = (process.env.PATH ?? "").split(delimiter).filter((folder) => !isOwn(folder));
  return findProgram(name, systemFolders) ?? findProgram(name, path.join(delimiter));
}

/** Installs packages on the system. */
export async function installPackages(packages: readonly string[], step: Step): Promise<void> {
  await updateLists(step);
  await apt(
    ["install", "--yes", "--quiet", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", ...packages],
    step,
  );
}

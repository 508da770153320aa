import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runChild } from "../progress/run-child.ts";
import type { Step } from "../progress/step.ts";
import { asRoot } from "../toolchain/debian.ts";
import type { Toolchain } from "../toolchain/toolchain.ts";

export const RELEASE = "bookworm";
/** Beyond what every Debian has: what Node, and programs with native parts, need. */
const INCLUDE = ["ca-certificates", "libstdc++6", "libgomp1", "netbase", "tzdata"];
/** Every file gets this time, so that the same packages give the same bytes: 2026-01-01. */
export const EPOCH_SECONDS = 1_767_225_600;

const REMEDY = "a Debian package archive must be reachable the first time; see debootstrap's messages above";

/**
 * Takes away what differs from one installation to the next, and what small images leave out. `$1` is the root.
 * The package database stays: scanners read it.
 */
const SCRUB = `set -eu
cd "$1"
rm -rf var/cache/apt/* var/cache/debconf/*-old var/cache/ldconfig/* var/lib/apt/lists/* var/lib/dpkg/*-old var/log/* \\
  tmp/* run/* etc/hostname etc/resolv.conf etc/machine-id etc/shadow- etc/passwd- etc/group- etc/gshadow- \\
  usr/share/man usr/share/info usr/share/locale usr/share/lintian usr/share/bug
: > etc/machine-id
find usr/share/doc -type f ! -name copyright -delete
find usr/share/doc -type d -empty -delete
sed -i -E 's/^([^:]*:[^:]*):[0-9]+:/\\1:20454:/' etc/shadow
: > etc/apt/sources.list
`;

/** Installs a minimal Debian into a folder, and makes it the same every time. Its files belong to root. */
export async function makeDebianRoot(toolchain: Toolchain, root: string, step: Step): Promise<void> {
  step.detail = "installing Debian (about a minute)";
  const mirror = await configuredMirror();
  const options = ["--variant=minbase", "--arch=amd64", "--force-check-gpg", `--include=${INCLUDE.join(",")}`];
  await runAsRoot(step, [
    "env",
    "LC_ALL=C",
    "DEBIAN_FRONTEND=noninteractive",
    toolchain.path("debootstrap"),
    ...options,
    RELEASE,
    root,
    ...mirror,
  ]);
  await runAsRoot(step, ["sh", "-c", SCRUB, "scrub", root]);
}

/** Runs a command as root with the administrators' folders on its PATH. */
export async function runAsRoot(step: Step, command: readonly string[]): Promise<void> {
  const [program = "sh", ...args] = [...asRoot(), ...command];
  const environment = { ...process.env, PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin:/usr/bin:/bin` };
  await step.run(program, args, { environment, remedy: REMEDY, timeoutSeconds: 1800 });
}

/** The package archive that this machine uses itself, where it runs the same release. */
async function configuredMirror(): Promise<string[]> {
  const format = "$(CODENAME) $(COMPONENT) $(REPO_URI)";
  const { code, stdout } = await runChild("apt-get", ["indextargets", "--format", format, "Created-By: Packages"]);
  if (code !== 0) return [];
  const entry = stdout.split("\n").find((line) => line.startsWith(`${RELEASE} main `));
  return entry ? [entry.split(" ")[2] ?? ""] : [];
}

/** Packs a folder reproducibly: names sorted, times fixed. */
export async function pack(
  step: Step,
  folder: string,
  archive: string,
  options: readonly string[],
  members: readonly string[],
): Promise<void> {
  const fixed = ["--sort=name", `--mtime=@${EPOCH_SECONDS}`, "--format=gnu", "--numeric-owner"];
  await runAsRoot(step, [
    "tar",
    "--create",
    "--file",
    archive,
    "--directory",
    folder,
    ...fixed,
    ...options,
    ...members,
  ]);
}

/** The database entry of each installed package, by its name. */
export function packageEntries(root: string): Map<string, string> {
  const entries = readFileSync(join(root, "var/lib/dpkg/status"), "utf8").trim().split("\n\n");
  return new Map(entries.map((entry) => [/^Package: (.*)$/m.exec(entry)?.[1] ?? "", entry]));
}

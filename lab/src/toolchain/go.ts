import { mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { totalmem } from "node:os";
import { join, resolve } from "node:path";
import { runChild } from "../progress/run-child.ts";
import type { Step } from "../progress/step.ts";
import { cacheFolder, recipeHash } from "./cache.ts";
import { withLock } from "./lock.ts";
import type { GoTool } from "./manifest.ts";

const SOURCES = resolve(import.meta.dirname, "../../go");
/** With more memory than this the compiler may collect garbage less often, which makes builds a third faster. */
const ROOMY_BYTES = 7 * 1024 ** 3;

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Changes with anything that changes the program: its entry in the manifest, the pinned modules, our own sources. */
export function goRecipe(tool: GoTool): string {
  const folder = join(SOURCES, tool.folder);
  const { minutes: _, ...entry } = tool;
  return recipeHash(
    JSON.stringify(entry),
    ...sources(folder).flatMap((file) => [file.slice(folder.length), readFileSync(file)]),
  );
}

/** The oldest Go that builds a tool, for example `1.25.8`. */
export function requiredGo(tool: GoTool): string {
  const line = /^go (\S+)$/m.exec(readFileSync(join(SOURCES, tool.folder, "go.mod"), "utf8"));
  return line?.[1] ?? "1.24";
}

/** Go's own caches lie in the project's cache, so that they can be given back as a whole. */
export function goEnvironment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    GOCACHE: join(cacheFolder(), "go", "build"),
    GOMODCACHE: join(cacheFolder(), "go", "mod"),
    GOFLAGS: "-mod=readonly",
    GOWORK: "off",
    CGO_ENABLED: "0",
    ...(totalmem() > ROOMY_BYTES && { GOGC: "400" }),
  };
}

/** The lock under which Go runs: one build at a time, and no cache is removed under it. */
export const goLock = () => join(cacheFolder(), "go.lock");

/**
 * Builds a tool's executables into `folder/bin`. One Go build runs at a time on a machine: each uses every core and
 * gigabytes of memory.
 */
export async function buildGo(tool: GoTool, folder: string, step: Step): Promise<void> {
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  const variables = Object.entries(tool.variables ?? {}).map(([name, value]) => `-X ${name}=${value}`);
  const about = `about ${tool.minutes} min the first time`;
  const onWait = (holder: string) => {
    step.detail = `waiting for another Go build, ${holder}`;
  };
  await withLock(goLock(), { onWait, ...(step.signal && { signal: step.signal }) }, async () => {
    let packages = 0;
    step.detail = about;
    for (const [executable, path] of Object.entries(tool.packages)) {
      const flags = ["-v", "-trimpath", "-buildvcs=false", `-ldflags=${["-s -w", ...variables].join(" ")}`];
      if (tool.tags) flags.push(`-tags=${tool.tags}`);
      await step.run("go", ["build", ...flags, "-o", join(bin, executable), path], {
        cwd: join(SOURCES, tool.folder),
        environment: goEnvironment(),
        remedy: "see the log above; the Go module proxy (GOPROXY) must be reachable the first time",
        onLine: (line) => {
          if (line.startsWith("go: downloading")) step.detail = `${about}; downloading modules`;
          else step.detail = `${about}; ${++packages} packages compiled`;
        },
      });
    }
  });
  step.detail = "";
  for (const [name, target] of Object.entries(tool.links ?? {})) symlinkSync(target, join(bin, name));
}

/** Gives back the disk that Go's caches take: several gigabytes that finished programs do not need. */
export async function removeGoCaches(step: Step): Promise<void> {
  const onWait = (holder: string) => {
    step.detail = `waiting for another Go build, ${holder}`;
  };
  await withLock(goLock(), { onWait, ...(step.signal && { signal: step.signal }) }, async () => {
    step.detail = "";
    await step.run("go", ["clean", "-cache", "-modcache"], {
      cwd: SOURCES,
      environment: goEnvironment(),
      remedy: `remove ${join(cacheFolder(), "go")} by hand`,
    });
  });
}

/** The version of the Go on this machine, for example `1.26.8`, or undefined where there is none. */
export async function installedGo(): Promise<{ version: string; fetchesNewer: boolean } | undefined> {
  try {
    const { code, stdout } = await runChild("go", ["env", "GOVERSION", "GOTOOLCHAIN"], { cwd: "/" });
    const [version = "", toolchain = ""] = stdout.trim().split("\n");
    if (code !== 0) return undefined;
    return { version: version.replace(/^go/, ""), fetchesNewer: toolchain !== "local" && toolchain !== "" };
  } catch {
    return undefined;
  }
}

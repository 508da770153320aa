import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isCancelled } from "../progress/error.ts";
import type { Progress } from "../progress/progress.ts";
import type { Step } from "../progress/step.ts";
import { cacheFolder, fill, isFilled, recipeHash, type Slot, slotFolder } from "../toolchain/cache.ts";
import type { Toolchain } from "../toolchain/toolchain.ts";

const LIST = join(import.meta.dirname, "advisories.json");
const PUBLIC_TIMEOUT_SECONDS = 300;

/** A vulnerability database that Grype can use without asking anybody. */
export interface Advisories {
  /** `lab` is the handful of advisories in `advisories.json`, written by hand for demonstration and not authoritative; `public` is what Grype's users have. */
  readonly kind: "lab" | "public";
  /** What to set for Grype. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface AdvisoriesOptions {
  /** `public` tries to download Grype's public database, and falls back to the lab's where it cannot be had. */
  readonly prefer?: "lab" | "public";
}

/**
 * Makes sure that Grype has a vulnerability database.
 * @param toolchain must have `grype`.
 */
export async function ensureAdvisories(
  toolchain: Toolchain,
  progress: Progress,
  options: AdvisoriesOptions = {},
): Promise<Advisories> {
  if (options.prefer === "public") {
    const downloaded = await downloadPublic(toolchain, progress);
    if (downloaded) return downloaded;
  }
  const slot: Slot = { shelf: "advisories/lab", key: recipeHash(readFileSync(LIST), toolchain.folder("grype")) };
  if (!isFilled(slot))
    await progress.step("lab advisories", (step) => fill(slot, step, (folder) => importList(toolchain, folder, step)));
  return { kind: "lab", environment: grypeEnvironment(slotFolder(slot)) };
}

function grypeEnvironment(folder: string): Record<string, string> {
  return {
    GRYPE_DB_CACHE_DIR: folder,
    GRYPE_DB_AUTO_UPDATE: "false",
    GRYPE_DB_VALIDATE_AGE: "false",
    GRYPE_CHECK_FOR_APP_UPDATE: "false",
  };
}

async function importList(toolchain: Toolchain, folder: string, step: Step): Promise<void> {
  const written = join(folder, "written");
  mkdirSync(written);
  const remedy = "run the same command again; when it fails again, remove the folder `advisories` in the cache";
  await step.run(toolchain.path("advisory-database"), [LIST, written], { remedy });
  const environment = { ...process.env, ...grypeEnvironment(folder) };
  await step.run(toolchain.path("grype"), ["db", "import", join(written, "vulnerability.db")], { environment, remedy });
  rmSync(written, { recursive: true });
  nameSource(folder);
}

/** Has Grype say, as the `from` of its database's status and of every report, what kind of database this is. */
function nameSource(folder: string): void {
  const { name } = JSON.parse(readFileSync(LIST, "utf8")) as { name: string };
  const [file] = globSync(join(folder, "*", "import.json"));
  if (file === undefined) throw new Error(`grype left no import.json in ${folder}`);
  const metadata = JSON.parse(readFileSync(file, "utf8")) as object;
  writeFileSync(file, JSON.stringify({ ...metadata, source: name }));
}

async function downloadPublic(toolchain: Toolchain, progress: Progress): Promise<Advisories | undefined> {
  const folder = join(cacheFolder(), "advisories", "public");
  mkdirSync(folder, { recursive: true });
  const environment = grypeEnvironment(folder);
  try {
    await progress.step("public advisories", async (step) => {
      await step.run(toolchain.path("grype"), ["db", "update"], {
        environment: { ...process.env, ...environment },
        remedy: "the lab's own advisories are used instead",
        timeoutSeconds: PUBLIC_TIMEOUT_SECONDS,
      });
    });
    return { kind: "public", environment };
  } catch (error) {
    if (isCancelled(error)) throw error;
    progress.say("public advisories: cannot be had here; the lab's own handful of advisories is used instead");
    return undefined;
  }
}

import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readlink, realpath, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ActionContext } from "../../shared/src/action-runtime/action.ts";
import { ActionError } from "../../shared/src/action-runtime/error.ts";
import { run, toolEnvironment } from "../../shared/src/child-process/run.ts";
import { pipFailure } from "./pip-failure.ts";
import type { Requirements } from "./requirements.ts";

type Context = Pick<ActionContext, "log" | "signal" | "environment" | "clock">;

/** Longest time for the download and installation of all packages, in milliseconds. */
const installTimeout = 30 * 60_000;

/** What a killed job left half-made is removed by a later one after this time, in milliseconds. */
const abandonedAfter = 6 * 3_600_000;

/**
 * A Python with the packages of the requirements file: a virtual environment in the runner's tool cache that jobs with the
 * same packages share; or the given Python itself where there is no such file. Returns the interpreter to call.
 *
 * A virtual environment cannot be moved, since its scripts name its place. It is made in a folder of its own, and becomes
 * the shared one by a symbolic link, which only one job can create: the others take it and remove theirs.
 */
export async function preparePython(
  python: string,
  requirements: { readonly file: Requirements; readonly shown: string } | undefined,
  context: Context,
): Promise<string> {
  if (requirements === undefined) return python;
  const { environment, log, clock } = context;
  const root = join(await toolCache(environment), "mlops-actions-train");
  const key = await environmentKey(python, requirements.file, context);
  const shared = join(root, key);
  const interpreter = join(shared, "bin", "python");
  if (await exists(interpreter)) {
    log.line(`Python environment ${key}: reused`);
    return interpreter;
  }
  const started = clock.now();
  await mkdir(root, { recursive: true });
  await removeAbandoned(root, clock.now());
  const name = `${key}-${randomBytes(4).toString("hex")}`;
  const own = join(root, name);
  try {
    await log.group(`Python environment ${key}: installing ${requirements.shown}`, () =>
      install(python, own, requirements, context),
    );
    const won = await shareEnvironment(name, shared);
    if (!won) await rm(own, { recursive: true, force: true });
  } catch (error) {
    await rm(own, { recursive: true, force: true });
    throw error;
  }
  log.line(`Python environment ${key}: ready after ${((clock.now() - started) / 1_000).toFixed(1)} s`);
  return interpreter;
}

async function install(
  python: string,
  folder: string,
  { file, shown }: { readonly file: Requirements; readonly shown: string },
  { log, signal }: Context,
): Promise<void> {
  const made = await run(python, ["-m", "venv", folder], { signal, timeoutMilliseconds: 180_000 });
  if (made.exitCode !== 0)
    throw new ActionError("PYTHON_UNUSABLE", {
      message: `'${python}' could not make a virtual environment: ${lastLine(made.stderr || made.stdout)}`,
      remedy:
        "install Python with its venv module (Debian: python3-venv), or run actions/setup-python before this step",
      blame: "inconclusive",
    });
  const pip = ["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"];
  const hashes = file.hashed ? ["--require-hashes"] : [];
  const installed = await run(join(folder, "bin", "python"), [...pip, ...hashes, "-r", file.path], {
    signal,
    timeoutMilliseconds: installTimeout,
    environment: toolEnvironment({ PYTHONUNBUFFERED: "1" }),
    onLine: (line) => log.tool(line),
  });
  if (installed.exitCode !== 0) throw pipFailure(`${installed.stdout}\n${installed.stderr}`, shown);
}

/** The name of the environment: same packages, same Python and machine, same name. */
async function environmentKey(python: string, file: Requirements, { signal, environment }: Context): Promise<string> {
  const script = "import sys, platform; print(sys.version, sys.base_prefix, platform.platform())";
  const asked = await run(python, ["-c", script], { signal, timeoutMilliseconds: 30_000 });
  if (asked.exitCode !== 0)
    throw new ActionError("PYTHON_UNUSABLE", {
      message: `'${python}' does not run as Python: ${lastLine(asked.stderr || asked.stdout)}`,
      remedy: "name a Python 3 with `python`, or run actions/setup-python before this step",
      blame: "inconclusive",
    });
  const commit = file.local ? (environment.GITHUB_SHA ?? "") : "";
  return createHash("sha256").update(`${asked.stdout}\n${file.hash}\n${commit}`).digest("hex").slice(0, 16);
}

/** Lets the shared name mean this environment. Returns whether it does; if not, another job was first. */
async function shareEnvironment(name: string, shared: string): Promise<boolean> {
  try {
    await symlink(name, shared);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  if (await exists(join(shared, "bin", "python"))) return false;
  await rm(shared, { force: true });
  return shareEnvironment(name, shared);
}

async function removeAbandoned(root: string, now: number): Promise<void> {
  const names = await readdir(root);
  const links = await Promise.all(names.map((name) => readlink(join(root, name)).catch(() => undefined)));
  const used = new Set(links);
  for (const [index, name] of names.entries()) {
    if (links[index] !== undefined || used.has(name)) continue;
    const found = await stat(join(root, name)).catch(() => undefined);
    if (found && now - found.mtimeMs > abandonedAfter) await rm(join(root, name), { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function lastLine(output: string): string {
  return output.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
}

/** An environment holds its own path, so the tool cache is taken by its real one: a link to it may be gone next time. */
async function toolCache({ RUNNER_TOOL_CACHE, RUNNER_TEMP }: ActionContext["environment"]): Promise<string> {
  const folder = RUNNER_TOOL_CACHE || RUNNER_TEMP || tmpdir();
  return realpath(folder).catch(() => folder);
}

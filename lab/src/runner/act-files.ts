import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { TRACKING_VARIABLE } from "./step-processes.ts";
import type { WorkflowRequest } from "./workflow-request.ts";

/** The labels that `runs-on:` may name; every one means this machine. */
const LABELS = ["ubuntu-latest", "ubuntu-24.04", "ubuntu-22.04", "self-hosted"];

/** Variables that belong to the runner's own view of the world: it sets them for the steps itself. */
const RUNNER_OWN = /^(GITHUB_|RUNNER_|ACTIONS_|ACT_|XDG_|HOME$)/;

/** A folder for one run: the files that act reads, its workspaces, the steps' home. It goes when the run ends. */
export interface RunFolder {
  readonly path: string;
  readonly secrets: string;
}

/** Makes the folder of a run, and removes those that killed runs have left. */
export function makeRunFolder(state: string): RunFolder {
  const runs = join(state, "runs");
  mkdirSync(runs, { recursive: true });
  for (const name of readdirSync(runs)) {
    if (!isRunning(Number(name.split("-")[0]))) rmSync(join(runs, name), { recursive: true, force: true });
  }
  const path = mkdtempSync(join(runs, `${process.pid}-`));
  chmodSync(path, 0o700);
  return { path, secrets: join(path, "secrets.yml") };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The environment of the runner itself; steps inherit it below everything that their workflow sets. */
export function runnerEnvironment(request: WorkflowRequest, folder: RunFolder): Record<string, string> {
  const inherited = Object.entries(request.environment).filter(([name]) => !RUNNER_OWN.test(name));
  // act looks for settings in the home folder: it gets an empty one, so that a person's own settings do not count.
  return { ...Object.fromEntries(inherited), HOME: join(folder.path, "home"), ACT_DISABLE_VERSION_CHECK: "1" };
}

/** Variables that have to stand above what act sets by itself. */
function stepEnvironment(request: WorkflowRequest, trackingId: string): Record<string, string> {
  const own = Object.entries(request.environment).filter(([name]) => /^(GITHUB_|ACTIONS_|HOME$)/.test(name));
  const repository = (request.payload.repository as { full_name?: string } | undefined)?.full_name;
  return {
    GITHUB_RUN_ID: String(Date.now()),
    ...(repository !== undefined && { GITHUB_REPOSITORY: repository }),
    ...Object.fromEntries(own),
    [TRACKING_VARIABLE]: trackingId,
  };
}

/**
 * Writes what act reads and gives its arguments. Secrets are in a file that only this user can read; JSON is YAML, and
 * needs no escaping that could go wrong.
 */
export function actArguments(request: WorkflowRequest, folder: RunFolder, trackingId: string, token: string): string[] {
  const write = (name: string, content: unknown, mode = 0o644) => {
    const file = join(folder.path, name);
    writeFileSync(file, JSON.stringify(content), { mode });
    return file;
  };
  mkdirSync(join(folder.path, "home"));
  linkToolCache(request, folder);
  const inputs = request.inputs === undefined ? {} : { inputs: request.inputs };
  const sender = (request.payload.sender as { login?: string } | undefined)?.login;
  write("secrets.yml", { GITHUB_TOKEN: token, ...request.secrets }, 0o600);
  return [
    request.event,
    "--directory",
    resolve(request.repository),
    "--workflows",
    request.workflow,
    "--eventpath",
    write("event.json", { ...request.payload, ...inputs }),
    "--secret-file",
    folder.secrets,
    "--var-file",
    write("variables.yml", request.variables),
    "--env-file",
    write("environment.yml", stepEnvironment(request, trackingId)),
    "--input-file",
    write("inputs.yml", {}),
    "--actor",
    sender ?? "lab",
    "--action-cache-path",
    join(folder.path, "work"),
    ...LABELS.flatMap((label) => ["--platform", `${label}=-self-hosted`]),
    ...request.repositories.flatMap(({ name, ref, folder: local }) => [
      "--local-repository",
      `${name}@${ref}=${resolve(local)}`,
    ]),
    "--container-daemon-socket",
    "-",
    "--no-cache-server",
    "--rm",
    "--json",
    "--verbose", // the only way to hear of skipped jobs and steps
  ];
}

/** act puts the tool cache below the folder that is removed with the run; it is kept, as on a self-hosted runner. */
function linkToolCache({ toolCache }: WorkflowRequest, folder: RunFolder): void {
  mkdirSync(toolCache, { recursive: true });
  mkdirSync(join(folder.path, "work"), { recursive: true });
  symlinkSync(resolve(toolCache), join(folder.path, "work", "tool_cache"));
}

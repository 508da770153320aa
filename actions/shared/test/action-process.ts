import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export interface EndedAction {
  readonly exitCode: number;
  /** Both streams, in order. */
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
  /** From the start, or from `interrupt`, in milliseconds. */
  readonly milliseconds: number;
}

export interface StartedAction {
  readonly ended: Promise<EndedAction>;
  /** Resolves when the log holds the text. */
  printed(text: string): Promise<void>;
  /** What the runner does when a job is cancelled; or, with SIGKILL, what happens when the runner is lost. */
  interrupt(signal?: NodeJS.Signals): void;
}

/** A workspace and the runner's other folders, empty. */
export function runnerFolders(): { readonly workspace: string; readonly environment: Record<string, string> } {
  const root = mkdtempSync(join(tmpdir(), "actions-"));
  const folders = Object.fromEntries(
    ["workspace", "temp", "tools"].map((name) => [name, mkdtempSync(join(root, name))]),
  );
  const { workspace = "", temp = "", tools = "" } = folders;
  return { workspace, environment: { GITHUB_WORKSPACE: workspace, RUNNER_TEMP: temp, RUNNER_TOOL_CACHE: tools } };
}

/** Runs an action's `main.ts` as the workflow runner does: inputs and the workflow run in the environment. */
export function startAction(
  name: string,
  inputs: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>>,
): StartedAction {
  const folder = mkdtempSync(join(tmpdir(), "action-"));
  const files = { GITHUB_OUTPUT: join(folder, "output"), GITHUB_STEP_SUMMARY: join(folder, "summary") };
  for (const file of Object.values(files)) writeFileSync(file, "");
  const variables = Object.entries(inputs).map(([input, value]) => [`INPUT_${input.toUpperCase()}`, value]);
  const main = resolve(import.meta.dirname, "../..", name, "src/main.ts");
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...files, ...environment, ...Object.fromEntries(variables) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  let since = Date.now();
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const ended = closed(child).then((exitCode) => ({
    exitCode,
    log,
    outputs: readOutputs(readFileSync(files.GITHUB_OUTPUT, "utf8")),
    summary: readFileSync(files.GITHUB_STEP_SUMMARY, "utf8"),
    milliseconds: Date.now() - since,
  }));
  return {
    ended,
    async printed(text) {
      while (!log.includes(text)) {
        if (child.exitCode !== null) throw new Error(`ended without '${text}':\n${log}`);
        await new Promise((wake) => setTimeout(wake, 20));
      }
    },
    interrupt(signal = "SIGINT") {
      since = Date.now();
      child.kill(signal);
    },
  };
}

export async function runAction(
  name: string,
  inputs: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>>,
): Promise<EndedAction> {
  return startAction(name, inputs, environment).ended;
}

function closed(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? -1));
  });
}

/** The runner's file format: `name<<delimiter`, the value, the delimiter. */
function readOutputs(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^(.+?)<<(\S+)\n([\s\S]*?)\n\2$/gm)].map(([, name, , value]) => [name, value]),
  );
}

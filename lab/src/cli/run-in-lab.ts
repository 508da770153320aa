import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { ensureAdvisories } from "../advisories/advisories.ts";
import { labEnvironment } from "../environment.ts";
import { enter, findNamespaces } from "../namespaces/namespaces.ts";
import { signalExitCode } from "../progress/children.ts";
import { LabError } from "../progress/error.ts";
import type { Progress } from "../progress/progress.ts";
import { labHome } from "../state/home.ts";
import { requireRecord } from "../state/record.ts";
import { ensureToolchain } from "../toolchain/toolchain.ts";
import { toolsFor } from "../tools.ts";

function down(name: string): LabError {
  return new LabError("LAB_DOWN", `the lab ${name} is not up`, { remedy: `npm run lab -- up --name ${name}` });
}

/**
 * The variables of a machine that uses a lab that is up.
 * @throws LabError LAB_UNKNOWN, LAB_DOWN
 */
export async function environmentOf(name: string, progress: Progress): Promise<Record<string, string>> {
  const home = labHome(name);
  const record = requireRecord(home);
  if (!(await listens(record.ports.registry))) throw down(name);
  const toolchain = await ensureToolchain(toolsFor(record.cluster.kind), progress);
  const advisories = await ensureAdvisories(toolchain, progress);
  return { ...labEnvironment(home, record, toolchain), ...advisories.environment };
}

/** Whether the lab's door is open, which anybody may ask. */
async function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(2000) });
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** Lines that set variables in a POSIX shell. */
export function exportLines(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", "'\\''")}'\n`)
    .join("");
}

/** Runs a command at this terminal until it ends. @returns its exit code. */
async function attach(command: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const [program = "", ...args] = command;
  const child = spawn(program, args, { stdio: "inherit", env: environment });
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, forward);
  return new Promise((resolve, reject) => {
    child.on("error", (cause) =>
      reject(new LabError("CHILD_NOT_FOUND", `${program} cannot be run`, { remedy: "check its name", cause })),
    );
    child.on("close", (code, signal) => resolve(signal ? signalExitCode(signal) : (code ?? 0)));
  });
}

/** Runs a command with the lab's variables, on the machine or in the lab's namespaces. @returns its exit code. */
export async function runInLab(
  name: string,
  command: readonly string[],
  inside: boolean,
  progress: Progress,
): Promise<number> {
  const environment = { ...process.env, ...(await environmentOf(name, progress)) };
  if (!inside) return attach(command, environment);
  const namespaces = findNamespaces(labHome(name));
  if (!namespaces) throw down(name);
  return attach(enter(namespaces, "lab", command), environment);
}

/** The parts that have a log. */
function logNames(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((file) => file.endsWith(".log"));
  return files.map((file) => file.slice(0, -".log".length)).sort();
}

/**
 * Shows a part's log, or which parts have one.
 * @returns the exit code.
 * @throws LabError NO_SUCH_PART
 */
export async function showLog(name: string, part: string | undefined, follow: boolean): Promise<number> {
  const home = labHome(name);
  requireRecord(home);
  const names = logNames(home.logs);
  if (part === undefined) {
    process.stdout.write(names.map((known) => `${known}\n`).join(""));
    return 0;
  }
  if (!names.includes(part)) {
    throw new LabError("NO_SUCH_PART", `the lab ${name} has no log of a part "${part}"`, {
      remedy: names.length > 0 ? `name one of: ${names.join(", ")}` : "bring the lab up first",
    });
  }
  const file = join(home.logs, `${part}.log`);
  return attach(["tail", "-n", follow ? "100" : "+1", ...(follow ? ["-F"] : []), file], process.env);
}

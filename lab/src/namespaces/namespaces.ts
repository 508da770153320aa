import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, readlinkSync, realpathSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { LabError } from "../progress/error.ts";
import { type LabHome, makeHome } from "../state/home.ts";
import { isAlive, type LabProcess, labProcesses, MARK, mark, partProcess } from "./process-table.ts";

const PREPARE = fileURLToPath(new URL("prepare.sh", import.meta.url));
const INIT = "init";

/** A log that has grown beyond this is put aside when its part is started anew. */
const LOG_BYTES = 8 * 1024 * 1024;

/** The address of the node, and of every part that pods talk to, inside the lab. */
export const NODE_ADDRESS = "10.88.0.1";

/** The namespaces of a lab that is up: they live as long as this process does. */
export interface Namespaces {
  /** The process id, on the machine, of the lab's first process. */
  readonly init: number;
}

/** Which network a process of the lab sees: the lab's own, or the machine's. */
export type Network = "lab" | "machine";

/** The words that run a command inside the lab's namespaces. */
export function enter(namespaces: Namespaces, network: Network, command: readonly string[]): string[] {
  const which = network === "lab" ? ["--mount", "--pid", "--net"] : ["--mount", "--pid"];
  return ["nsenter", "--target", String(namespaces.init), ...which, "--", ...command];
}

/** The search path of the system's own programs, which a person's shell does not always have. */
export const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

function initProcess(processes: readonly LabProcess[]): LabProcess | undefined {
  return processes.find((process) => process.part === INIT && process.namespacePids.at(-1) === 1);
}

function fingerprint(pause: string): string {
  const hash = createHash("sha256");
  return hash
    .update(`${readFileSync(PREPARE, "utf8")}\0${NODE_ADDRESS}\0${pause}`)
    .digest("hex")
    .slice(0, 12);
}

/** The namespaces of a lab, if it is up (whatever state its parts are in). */
export function findNamespaces(home: LabHome): Namespaces | undefined {
  const init = initProcess(labProcesses(home.id));
  return init && { init: init.pid };
}

/** Waits until the first process has prepared the namespaces, which it shows by having become the pause program. */
async function prepared(home: LabHome, pause: string): Promise<Namespaces | undefined> {
  const program = realpathSync(pause);
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await sleep(15)) {
    const processes = labProcesses(home.id);
    const init = initProcess(processes);
    if (init) {
      try {
        if (readlinkSync(`/proc/${init.pid}/exe`) === program) return { init: init.pid };
      } catch {
        // ended just now
      }
    } else if (!partProcess(processes, INIT)) {
      return undefined;
    }
  }
  return undefined;
}

/**
 * The lab's namespaces: the ones that are there, or new ones when there are none or they were made by another version.
 * @throws LabError NAMESPACES_FAILED with the end of the log.
 */
export async function openNamespaces(home: LabHome, pause: string): Promise<Namespaces> {
  makeHome(home);
  const wanted = fingerprint(pause);
  const running = initProcess(labProcesses(home.id));
  if (running?.fingerprint === wanted) {
    const namespaces = await prepared(home, pause);
    if (namespaces) return namespaces;
  }
  await closeNamespaces(home);
  makeHome(home);
  const log = join(home.logs, "namespaces.log");
  const output = openSync(log, "w", 0o644);
  const flags = ["--mount", "--propagation", "slave", "--pid", "--fork", "--mount-proc", "--net"];
  const child = spawn("unshare", [...flags, "--", PREPARE, home.state, NODE_ADDRESS, pause], {
    detached: true,
    env: { PATH: SYSTEM_PATH, [MARK]: mark(home.id, INIT, wanted) },
    stdio: ["ignore", output, output],
  });
  child.on("error", () => undefined);
  child.unref();
  closeSync(output);
  const namespaces = child.pid === undefined ? undefined : await prepared(home, pause);
  if (namespaces) return namespaces;
  await closeNamespaces(home);
  const reason = readFileSync(log, "utf8").trim().split("\n").slice(-5).join("; ");
  throw new LabError("NAMESPACES_FAILED", `the lab's namespaces could not be made: ${reason || "no message"}`, {
    remedy: "run as root on a machine (not in an unprivileged container) that has unshare, mount and ip",
  });
}

/**
 * Ends every process of the lab and with them its mounts and network devices.
 * @throws LabError LAB_STAYS when a process is still there after ten seconds.
 */
export async function closeNamespaces(home: LabHome): Promise<void> {
  const init = initProcess(labProcesses(home.id));
  if (init) kill(init.pid);
  for (const deadline = Date.now() + 10_000; ; await sleep(20)) {
    const left = labProcesses(home.id);
    if (left.length === 0 && (!init || !isAlive(init.pid))) return;
    for (const process of left) kill(process.pid);
    if (Date.now() > deadline) {
      const names = left.map((process) => `${process.part} (${process.pid})`).join(", ");
      throw new LabError("LAB_STAYS", `these processes of the lab do not end: ${names}`, {
        remedy: "look at what they wait for: cat /proc/PID/stack",
      });
    }
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // gone already
  }
}

/** Opens a log for appending, and puts it aside first when it is large. */
export function openLog(path: string): number {
  try {
    if (statSync(path).size > LOG_BYTES) renameSync(path, `${path}.old`);
  } catch {
    // the first start
  }
  return openSync(path, "a", 0o644);
}

/** How a process of the lab is started. */
export interface Launch {
  readonly part: string;
  readonly fingerprint: string;
  readonly network: Network;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** The file that its output is appended to. */
  readonly log: string;
}

/**
 * Starts a process inside the lab that outlives this one. Its parent is the lab's first process.
 * @param handOver when given, called with the process's channel for messages while it starts.
 * @throws LabError LAUNCH_FAILED
 */
export async function launch(
  home: LabHome,
  namespaces: Namespaces,
  what: Launch,
  handOver?: (channel: ReturnType<typeof spawn>) => Promise<void>,
): Promise<void> {
  const [program = "nsenter", ...args] = enter(namespaces, what.network, ["setsid", "--fork", ...what.command]);
  const output = openLog(what.log);
  const child = spawn(program, args, {
    detached: true,
    cwd: "/",
    env: { ...what.environment, [MARK]: mark(home.id, what.part, what.fingerprint) },
    stdio: ["ignore", output, output, ...(handOver ? (["ipc"] as const) : [])],
  });
  closeSync(output);
  const exit = once(child, "exit");
  try {
    await Promise.all([exit, handOver?.(child)]);
  } catch (cause) {
    throw new LabError("LAUNCH_FAILED", `${what.part} could not be started in the lab's namespaces`, {
      remedy: `see ${what.log}`,
      cause,
    });
  }
  const [code] = (await exit) as [number | null];
  if (code === 0) return;
  throw new LabError("LAUNCH_FAILED", `${what.part} could not be started: nsenter ended with ${code}`, {
    remedy: `see ${what.log}, and run "npm run lab -- up" again`,
  });
}

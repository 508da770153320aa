import { readdirSync, readFileSync } from "node:fs";

/**
 * The variable that every process the lab starts carries in its environment: `<lab id>/<part>/<fingerprint>`. A process is
 * found by it in /proc, so that nothing has to be written down when it starts and nothing is lost when an `up` is killed.
 */
export const MARK = "MLOPS_LAB_PART";

/** A process of a lab, as the machine sees it. */
export interface LabProcess {
  readonly pid: number;
  /** Whether it leads its session, as what the lab starts does and what that starts in turn does not. */
  readonly leader: boolean;
  readonly part: string;
  /** Changes with the command and the configuration that the process was started with. */
  readonly fingerprint: string;
  /** Its process id in each namespace, the machine's first. */
  readonly namespacePids: readonly number[];
}

/** The value of the mark for a part's process. */
export function mark(id: string, part: string, fingerprint: string): string {
  return `${id}/${part}/${fingerprint}`;
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // the process ended, or is not ours to read
  }
}

/** The fields of /proc/PID/stat by their numbers in proc(5); the second is a name that may hold anything. */
function fieldsOf(stat: string): (number: number) => string {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (number) => fields[number - 3] ?? "";
}

function markedProcess(pid: number, id: string): LabProcess | undefined {
  const environment = readProc(`/proc/${pid}/environ`);
  const value = environment
    ?.split("\0")
    .find((entry) => entry.startsWith(`${MARK}=${id}/`))
    ?.slice(MARK.length + 1);
  if (!value) return undefined;
  const status = readProc(`/proc/${pid}/status`);
  const stat = readProc(`/proc/${pid}/stat`);
  if (!status || !stat || /^State:\s+[ZX]/m.test(status)) return undefined;
  const namespacePids = (status.match(/^NSpid:\s+(.+)$/m)?.[1] ?? `${pid}`).split(/\s+/).map(Number);
  const session = Number(fieldsOf(stat)(6));
  const [, part = "", fingerprint = ""] = value.split("/");
  return { pid, leader: session === pid, part, fingerprint, namespacePids };
}

/** The ids of all processes that this process can see. */
export function processIds(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** All processes that the lab of this id started, and what they started with the mark in their environment. */
export function labProcesses(id: string): LabProcess[] {
  return processIds()
    .map((pid) => markedProcess(pid, id))
    .filter((process) => process !== undefined);
}

/** The process that a part was started as. */
export function partProcess(processes: readonly LabProcess[], part: string): LabProcess | undefined {
  return processes.find((process) => process.part === part && process.leader);
}

/** Whether a process runs; a zombie does not. */
export function isAlive(pid: number): boolean {
  const status = readProc(`/proc/${pid}/status`);
  return status !== undefined && !/^State:\s+[ZX]/m.test(status);
}

/** What a process uses. Memory is the proportional set size: pages that processes share count once among them. */
export interface ProcessUse {
  readonly memoryBytes: number;
  readonly cpuSeconds: number;
  readonly startedAt: Date;
}

/** When a process was started, give or take a second, or undefined when it is gone. */
export function startedAt(pid: number): Date | undefined {
  const stat = readProc(`/proc/${pid}/stat`);
  const boot = readProc("/proc/stat")?.match(/^btime (\d+)/m)?.[1];
  // 22 starttime, in hundredths of a second since the machine was booted
  return stat && boot ? new Date((Number(boot) + Number(fieldsOf(stat)(22)) / 100) * 1000) : undefined;
}

/** What a process uses now, or undefined when it is gone. */
export function processUse(pid: number): ProcessUse | undefined {
  const stat = readProc(`/proc/${pid}/stat`);
  const since = startedAt(pid);
  if (!stat || !since) return undefined;
  // 14 utime, 15 stime, in hundredths of a second
  const field = (number: number) => Number(fieldsOf(stat)(number)) / 100;
  const memory = readProc(`/proc/${pid}/smaps_rollup`)?.match(/^Pss:\s+(\d+) kB/m)?.[1] ?? "0";
  return {
    memoryBytes: Number(memory) * 1024,
    cpuSeconds: field(14) + field(15),
    startedAt: since,
  };
}

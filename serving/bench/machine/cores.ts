import { readFileSync } from "node:fs";
import { cpus } from "node:os";

/** Which processor cores serve, and which make the load. */
export interface Cores {
  /** Of the server that is measured. */
  readonly server: number;
  /** Of the load, as `taskset` writes lists. */
  readonly load: string;
  /** All of them, for measurements that leave the split to the kernel. */
  readonly all: string;
  readonly count: number;
}

/**
 * One core for the server, the others for the load.
 * @throws Error when this process may use one core only.
 */
export function chooseCores(allowed = allowedCores()): Cores {
  const [server, ...load] = allowed;
  if (server === undefined || load.length === 0)
    throw new Error("the benchmark needs two processor cores, one for the server and one for the load");
  return { server, load: load.join(","), all: allowed.join(","), count: allowed.length };
}

/** The cores that this process may use: a container or `taskset` may have fewer than the machine. */
function allowedCores(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "";
  return list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** The machine in a few words. */
export function describeMachine(): string {
  return `${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown processor"}`;
}

import { labProcesses, partProcess, processUse } from "../namespaces/process-table.ts";
import { allParts } from "../parts/all-parts.ts";
import type { Part } from "../parts/part.ts";
import { type LabHome, labHome } from "../state/home.ts";
import { lockHolder } from "../state/lock.ts";
import { requireRecord } from "../state/record.ts";
import { NAMES_ONLY } from "../tools.ts";

/** One part of a lab as it is now. */
export interface PartStatus {
  readonly part: string;
  readonly state: "up" | "not answering" | "down";
  readonly pid?: number;
  readonly address: string;
  readonly memoryBytes?: number;
  readonly since?: Date;
}

/** How every part of a lab is. */
export async function partStatuses(home: LabHome): Promise<PartStatus[]> {
  const parts = allParts(home, requireRecord(home), NAMES_ONLY);
  const processes = labProcesses(home.id);
  return Promise.all(
    parts.map(async (part) => {
      const process = partProcess(processes, part.name);
      if (!process) return { part: part.name, state: "down", address: part.address } as const;
      const state = (await answers(part)) ? "up" : "not answering";
      const pids = processes.filter(({ part: name }) => name === part.name).map(({ pid }) => pid);
      const uses = pids.map(processUse).filter((use) => use !== undefined);
      const since = processUse(process.pid)?.startedAt;
      return {
        part: part.name,
        state,
        pid: process.pid,
        address: part.address,
        memoryBytes: uses.reduce((sum, use) => sum + use.memoryBytes, 0),
        ...(since && { since }),
      } as const;
    }),
  );
}

async function answers(part: Part): Promise<boolean> {
  try {
    await part.ready();
    return true;
  } catch {
    return false;
  }
}

/** Text in columns. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

const megabytes = (bytes: number | undefined) => (bytes === undefined ? "" : `${Math.round(bytes / 2 ** 20)} MiB`);

/** Prints a lab's parts. @returns the exit code: 0 when all parts are up, 1 otherwise. */
export async function printStatus(name: string, write: (text: string) => void): Promise<number> {
  const home = labHome(name);
  const statuses = await partStatuses(home);
  const rows = statuses.map(({ part, state, pid, address, memoryBytes, since }) => [
    part,
    state,
    pid === undefined ? "" : String(pid),
    address,
    megabytes(memoryBytes),
    since ? since.toISOString().replace(/\.\d+Z$/, "Z") : "",
  ]);
  const total = statuses.reduce((sum, status) => sum + (status.memoryBytes ?? 0), 0);
  write(
    `${table([["PART", "STATE", "PID", "ADDRESS", "MEMORY", "SINCE"], ...rows, ["all", "", "", "", megabytes(total)]])}\n`,
  );
  const holder = await lockHolder(home);
  if (holder) write(`process ${holder.pid} works on this lab (${holder.command} since ${holder.since})\n`);
  return statuses.every(({ state }) => state === "up") ? 0 : 1;
}

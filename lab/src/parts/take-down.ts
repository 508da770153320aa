import { setTimeout as sleep } from "node:timers/promises";
import { isAlive, labProcesses } from "../namespaces/process-table.ts";
import type { LabHome } from "../state/home.ts";
import type { Ending, Part } from "./part.ts";

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // gone already
  }
}

/** Asks processes to end, waits, and kills those that are still there. */
async function end(pids: readonly number[], ending: Ending): Promise<void> {
  for (const pid of pids) send(pid, ending.signal);
  for (const deadline = Date.now() + ending.withinMs; Date.now() < deadline && pids.some(isAlive); ) await sleep(20);
  for (const pid of pids) send(pid, "SIGKILL");
  for (const deadline = Date.now() + 2000; Date.now() < deadline && pids.some(isAlive); ) await sleep(10);
}

/** Ends a part's processes, if there are any. */
export async function endPart(home: LabHome, part: Pick<Part, "name" | "ending">): Promise<void> {
  const pids = labProcesses(home.id)
    .filter((process) => process.part === part.name && (process.leader || !part.ending.leaveChildren))
    .map((process) => process.pid);
  if (pids.length > 0) await end(pids, part.ending);
}

/** Ends parts in the reverse of the order in which they were started; those that nothing else needs, together. */
export async function takeDown(home: LabHome, parts: readonly Part[]): Promise<void> {
  let left = [...parts];
  while (left.length > 0) {
    const needed = new Set(left.flatMap((part) => part.needs));
    const now = left.filter((part) => !needed.has(part.name));
    await Promise.all(now.map((part) => endPart(home, part)));
    left = left.filter((part) => !now.includes(part));
  }
}

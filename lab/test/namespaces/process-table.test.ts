import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { isAlive, labProcesses, MARK, mark, partProcess, processUse } from "../../src/namespaces/process-table.ts";

async function until<T>(look: () => T | undefined): Promise<T> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const seen = look();
    if (seen !== undefined) return seen;
    await sleep(10);
  }
  throw new Error("nothing seen within 2 s");
}

test("finds a part by its mark, and tells it from what it started", async () => {
  const id = "7e57ab1e";
  const child = spawn("sh", ["-c", "sleep 30 & wait"], {
    detached: true,
    env: { PATH: process.env.PATH, [MARK]: mark(id, "sleeper", "f1") },
  });
  await until(() => (labProcesses(id).length === 2 ? true : undefined));
  expect(partProcess(labProcesses(id).reverse(), "sleeper")).toMatchObject({
    pid: child.pid,
    part: "sleeper",
    fingerprint: "f1",
  });
  expect(partProcess(labProcesses(id), "other")).toBeUndefined();
  expect(labProcesses("00000000")).toEqual([]);
  for (const { pid } of labProcesses(id)) process.kill(pid, "SIGKILL");
  await once(child, "exit");
  expect(isAlive(child.pid ?? 0)).toBe(false);
});

test("a process that has ended but was not collected does not count as alive", async () => {
  // The shell becomes a program that never collects the child that it inherits.
  const parent = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 30"], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(parent.stdout, "data")) as [Buffer];
  const zombie = Number(line.toString());
  await until(() => (isAlive(zombie) ? undefined : true));
  parent.kill("SIGKILL");
  await once(parent, "exit");
});

test("tells memory, processor time and start of a process", () => {
  const use = processUse(process.pid);
  expect(use?.memoryBytes).toBeGreaterThan(10 * 2 ** 20);
  expect(use?.cpuSeconds).toBeGreaterThan(0);
  expect(Math.abs(Date.now() - process.uptime() * 1000 - (use?.startedAt.getTime() ?? 0))).toBeLessThan(3000);
});

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { runChild } from "../../src/progress/run-child.ts";

const scratch = mkdtempSync(join(tmpdir(), "run-child-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const RUN_CHILD = resolve(import.meta.dirname, "../../src/progress/run-child.ts");
/** Writes its own id and its child's id into the file $1, then stays. */
const FAMILY = 'sleep 622 & echo "$$ $!" > "$1.new"; mv "$1.new" "$1"; wait';

const alive = (pid: number) => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

async function family(file: string): Promise<number[]> {
  while (!existsSync(file)) await sleep(10);
  return readFileSync(file, "utf8").trim().split(" ").map(Number);
}

async function gone(pids: readonly number[]): Promise<boolean> {
  for (let attempt = 0; attempt < 300 && pids.some(alive); attempt++) await sleep(10);
  return !pids.some(alive);
}

/** A process of its own that runs the family through runChild. */
function parent(file: string) {
  const script = join(scratch, "parent.ts");
  writeFileSync(
    script,
    `import { runChild } from ${JSON.stringify(RUN_CHILD)};\nawait runChild("sh", ["-c", ${JSON.stringify(FAMILY)}, "sh", process.argv[2]]);\n`,
  );
  return spawn(process.execPath, ["--disable-warning=ExperimentalWarning", script, file], { stdio: "ignore" });
}

test("gives the exit code and both outputs, and keeps them in the log", async () => {
  const log = join(scratch, "out.log");
  const lines: string[] = [];
  const result = await runChild("sh", ["-c", "cat; echo bad >&2; exit 3"], {
    input: "given\n",
    log,
    onLine: (line) => lines.push(line),
  });
  expect(result).toEqual({ code: 3, stdout: "given\n", stderr: "bad\n" });
  expect(lines.sort()).toEqual(["bad", "given"]);
  expect(readFileSync(log, "utf8").trim().split("\n").sort()).toEqual(["bad", "given"]);
});

test("names a program that is not there", async () => {
  await expect(runChild("no-such-program", [])).rejects.toMatchObject({
    code: "CHILD_NOT_FOUND",
    message: expect.stringContaining("no-such-program"),
  });
});

test("ends a child that takes too long", async () => {
  const started = Date.now();
  await expect(runChild("sleep", ["622"], { timeoutSeconds: 0.1 })).rejects.toMatchObject({ code: "CHILD_TIMEOUT" });
  expect(Date.now() - started).toBeLessThan(3000);
});

test("an abort ends the child and what it started", async () => {
  const controller = new AbortController();
  const file = join(scratch, "aborted");
  const running = runChild("sh", ["-c", FAMILY, "sh", file], { signal: controller.signal });
  const pids = await family(file);
  expect(pids.every(alive)).toBe(true);
  controller.abort();
  await expect(running).rejects.toMatchObject({ code: "CANCELLED" });
  expect(await gone(pids)).toBe(true);
});

test("what a child leaves running in its group goes when the child ends", async () => {
  const { stdout } = await runChild("sh", ["-c", "sleep 622 >/dev/null 2>&1 & echo $!"]);
  expect(await gone([Number(stdout)])).toBe(true);
});

test.each(["SIGINT", "SIGTERM"] as const)("%s to this process reaches the child's whole group", async (signal) => {
  const file = join(scratch, signal);
  const process = parent(file);
  const pids = await family(file);
  process.kill(signal);
  expect(await gone(pids)).toBe(true);
});

test("a child does not outlive this process when it is killed", async () => {
  const file = join(scratch, "killed");
  const process = parent(file);
  const [child = 0, grandchild = 0] = await family(file);
  process.kill("SIGKILL");
  expect(await gone([child])).toBe(true);
  globalThis.process.kill(grandchild, "SIGKILL"); // the kernel's promise covers the child alone
});

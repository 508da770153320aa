import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { labProcesses, MARK, mark, partProcess } from "../../src/namespaces/process-table.ts";
import { bringUp } from "../../src/parts/bring-up.ts";
import type { Part } from "../../src/parts/part.ts";
import { takeDown } from "../../src/parts/take-down.ts";
import { Progress } from "../../src/progress/progress.ts";
import { Step } from "../../src/progress/step.ts";
import { labHome } from "../../src/state/home.ts";

// Parts that are `sleep` with a mark: what runs, and what is found in /proc, is real; the namespaces are the machine's.
const home = labHome("t-bring-up");
const namespaces = { init: process.pid };
let folder: string;
let happened: string[];
let lines: string[];
let progress: Progress;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bring-up-"));
  happened = [];
  lines = [];
  progress = new Progress({ logs: folder, output: { write: (text) => lines.push(text) } });
});

afterEach(async () => {
  for (const { pid } of labProcesses(home.id)) await killed(pid);
  rmSync(folder, { recursive: true });
});

interface Fake {
  readonly needs?: readonly string[];
  readonly seconds?: string;
  readonly version?: string;
  readonly patienceSeconds?: number;
  ready?(): void;
}

function fake(
  name: string,
  { needs = [], seconds = "60", version = "1", patienceSeconds = 5, ready }: Fake = {},
): Part {
  return {
    name,
    needs,
    address: "",
    fingerprint: () => version,
    log: join(folder, `part-${name}.log`),
    patienceSeconds,
    ending: { signal: "SIGTERM", withinMs: 1000 },
    start: async () => {
      happened.push(`start ${name}`);
      const environment = { PATH: process.env.PATH, [MARK]: mark(home.id, name, version) };
      spawn("sleep", [seconds], { env: environment, detached: true, stdio: "ignore" }).unref();
    },
    ready: async () => ready?.(),
    settle: async () => {
      happened.push(`settle ${name}`);
    },
  };
}

/** Kills a process and waits until the kernel has taken it away: a dying one is still found for a moment. */
async function killed(pid: number | undefined): Promise<void> {
  if (pid === undefined) throw new Error("there is no such process");
  process.kill(pid, "SIGKILL");
  while (labProcesses(home.id).some((found) => found.pid === pid)) await sleep(10);
}

/** Waits until a process that was just started can be found. */
async function untilMarked(name: string): Promise<void> {
  while (!partProcess(labProcesses(home.id), name)) await sleep(10);
}

test("a part starts when the parts that it needs are ready", async () => {
  const parts = [fake("store"), fake("server", { needs: ["store"] }), fake("client", { needs: ["server"] })];
  await bringUp(home, namespaces, parts, progress);
  expect(happened).toEqual(["store", "server", "client"].flatMap((name) => [`start ${name}`, `settle ${name}`]));
});

test("a second time starts nothing", async () => {
  const parts = [fake("store"), fake("server", { needs: ["store"] })];
  await bringUp(home, namespaces, parts, progress);
  const before = labProcesses(home.id).map(({ pid }) => pid);
  expect(await bringUp(home, namespaces, parts, progress)).toEqual({ started: [], kept: ["store", "server"] });
  expect(labProcesses(home.id).map(({ pid }) => pid)).toEqual(before);
});

test("a part that was killed is started again, and no other", async () => {
  const parts = [fake("store"), fake("server", { needs: ["store"] })];
  await bringUp(home, namespaces, parts, progress);
  await killed(partProcess(labProcesses(home.id), "store")?.pid);
  expect(await bringUp(home, namespaces, parts, progress)).toEqual({ started: ["store"], kept: ["server"] });
});

test("a part that is wanted with another configuration is replaced", async () => {
  await bringUp(home, namespaces, [fake("store")], progress);
  const { started } = await bringUp(home, namespaces, [fake("store", { version: "2" })], progress);
  expect(started).toEqual(["store"]);
  expect(labProcesses(home.id)).toMatchObject([{ fingerprint: "2" }]);
});

test("a part that an earlier up has just started gets its own patience", async () => {
  const ready = Date.now() + 5000;
  const slow = fake("slow", {
    patienceSeconds: 10,
    ready: () => {
      if (Date.now() < ready) throw new Error("still reading");
    },
  });
  const step = new Step("slow", join(folder, "step.log"), undefined, () => undefined);
  await slow.start(namespaces, step);
  await untilMarked("slow");
  expect(await bringUp(home, namespaces, [slow], progress)).toEqual({ started: [], kept: ["slow"] });
  expect(happened).toEqual(["start slow", "settle slow"]);
});

test("a part that stays silent beyond its patience is started anew", async () => {
  const silent = fake("silent", {
    patienceSeconds: 1,
    ready: () => {
      if (happened.length < 2) throw new Error("silent");
    },
  });
  const step = new Step("silent", join(folder, "step.log"), undefined, () => undefined);
  await silent.start(namespaces, step);
  await untilMarked("silent");
  const first = labProcesses(home.id)[0]?.pid;
  expect(await bringUp(home, namespaces, [silent], progress)).toEqual({ started: ["silent"], kept: [] });
  expect(labProcesses(home.id).map(({ pid }) => pid)).not.toContain(first);
});

test("a part that ends while it starts is reported at once, with the end of its log", async () => {
  const part = fake("brief", {
    seconds: "0.2",
    patienceSeconds: 60,
    ready: () => {
      throw new Error("not yet");
    },
  });
  writeFileSync(part.log, "the reason\n");
  const later = fake("later", { needs: ["brief"] });
  await expect(bringUp(home, namespaces, [part, later], progress)).rejects.toMatchObject({ code: "PART_ENDED" });
  expect(lines.join("")).toContain("the reason");
  expect(happened).not.toContain("start later");
});

test("a part that is never ready is reported with the reason that it gives", async () => {
  const part = fake("slow", {
    patienceSeconds: 0.3,
    ready: () => {
      throw new Error("still reading");
    },
  });
  const error = { code: "PART_NOT_READY", cause: expect.objectContaining({ message: "still reading" }) };
  await expect(bringUp(home, namespaces, [part], progress)).rejects.toMatchObject(error);
});

test("parts end in the reverse of their order", async () => {
  const parts = [fake("store"), fake("server", { needs: ["store"] })];
  await bringUp(home, namespaces, parts, progress);
  await takeDown(home, parts);
  expect(labProcesses(home.id)).toEqual([]);
});

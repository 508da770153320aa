import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { withLock } from "../../src/toolchain/lock.ts";
import { useScratchCache } from "./scratch-cache.ts";

const scratch = useScratchCache();
const LOCK = resolve(import.meta.dirname, "../../src/toolchain/lock.ts");

const holders: ChildProcess[] = [];
afterEach(() => {
  for (const holder of holders.splice(0)) holder.kill("SIGKILL");
});

/** Another process that takes the lock and keeps it. */
async function holder(file: string) {
  const script = join(scratch.root, "holder.ts");
  writeFileSync(
    script,
    `import { withLock } from ${JSON.stringify(LOCK)};
await withLock(process.argv[2], { onWait: () => {} }, async () => {
  console.log("held");
  await new Promise((done) => setTimeout(done, 600_000));
});\n`,
  );
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", script, file], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  holders.push(child);
  await once(child.stdout, "data");
  return child;
}

test("work under one lock does not overlap", async () => {
  const file = join(scratch.root, "lock");
  const order: string[] = [];
  const work = (name: string) => async () => {
    order.push(`${name} begins`);
    await sleep(50);
    order.push(`${name} ends`);
  };
  await Promise.all(["a", "b"].map((name) => withLock(file, { onWait: () => undefined }, work(name))));
  expect(order[1]?.[0]).toBe(order[0]?.[0]);
  expect(order[3]?.[0]).toBe(order[2]?.[0]);
});

test("the lock of a process that was killed is free, and was its own before", async () => {
  const file = join(scratch.root, "lock");
  const other = await holder(file);
  const waitedFor: string[] = [];
  const waiting = withLock(file, { onWait: (who) => waitedFor.push(who) }, async () => "got it");
  await sleep(200);
  expect(waitedFor).toEqual([expect.stringContaining(`process ${other.pid} in `)]);
  other.kill("SIGKILL");
  expect(await waiting).toBe("got it");
});

test("waiting can be cancelled", async () => {
  const file = join(scratch.root, "lock");
  await holder(file);
  const controller = new AbortController();
  const waiting = withLock(file, { onWait: () => controller.abort(), signal: controller.signal }, async () => "got it");
  await expect(waiting).rejects.toMatchObject({ code: "CANCELLED" });
});

test("the lock is free after work that failed", async () => {
  const file = join(scratch.root, "lock");
  const failing = withLock(file, { onWait: () => undefined }, async () => {
    throw new Error("failed");
  });
  await expect(failing).rejects.toThrow("failed");
  expect(await withLock(file, { onWait: () => undefined }, async () => "got it")).toBe("got it");
});

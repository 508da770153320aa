import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { labHome } from "../../src/state/home.ts";
import { type Holder, lockHolder, withLock } from "../../src/state/lock.ts";

const options = (onWait: (holder: Holder) => void = () => undefined, signal?: AbortSignal) => ({
  command: "test",
  onWait,
  signal,
});

test("work under one lab's lock never overlaps", async () => {
  const home = labHome("t-lock-serial");
  let inside = 0;
  let most = 0;
  const work = async () => {
    inside += 1;
    most = Math.max(most, inside);
    await sleep(20);
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 8 }, () => withLock(home, options(), work)));
  expect(most).toBe(1);
});

test("two labs do not wait for each other", async () => {
  const waited: Holder[] = [];
  await withLock(labHome("t-lock-one"), options(), () =>
    withLock(
      labHome("t-lock-two"),
      options((holder) => waited.push(holder)),
      async () => undefined,
    ),
  );
  expect(waited).toEqual([]);
});

test("work that fails frees the lock", async () => {
  const home = labHome("t-lock-fails");
  await expect(withLock(home, options(), () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await lockHolder(home)).toBeUndefined();
});

test("whoever waits is told who holds the lock, and goes on when the holder is killed", async () => {
  const home = labHome("t-lock-killed");
  const lock = fileURLToPath(new URL("../../src/state/lock.ts", import.meta.url));
  const state = fileURLToPath(new URL("../../src/state/home.ts", import.meta.url));
  const script = `
    const { withLock } = await import(${JSON.stringify(lock)});
    const { labHome } = await import(${JSON.stringify(state)});
    await withLock(labHome("t-lock-killed"), { command: "the holder", onWait() {} }, async () => {
      console.log("held");
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    });`;
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", script],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  await once(child.stdout, "data");
  const holders: Holder[] = [];
  const wait = (holder: Holder) => {
    holders.push(holder);
    child.kill("SIGKILL");
  };
  expect(await withLock(home, options(wait), async () => "mine")).toBe("mine");
  expect(holders).toMatchObject([{ pid: child.pid, command: "the holder" }]);
});

test("waiting can be cancelled", async () => {
  const home = labHome("t-lock-cancel");
  const stop = new AbortController();
  await withLock(home, options(), async () => {
    const waiting = withLock(
      home,
      options(() => stop.abort(), stop.signal),
      async () => "mine",
    );
    await expect(waiting).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

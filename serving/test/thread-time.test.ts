import { expect, test } from "vitest";
import { threadMs } from "../src/execution/thread-time.ts";

test("a thread's time goes on between the ticks of the system's clock", () => {
  const steps: number[] = [];
  const end = performance.now() + 100;
  for (let last = threadMs(); performance.now() < end; ) {
    const now = threadMs();
    if (now > last) steps.push(now - last);
    last = now;
  }
  // By ticks of 1 to 10 ms there would be at most a hundred steps.
  expect(steps.length).toBeGreaterThan(200);
});

test("a thread's time stands still while it waits", () => {
  const before = threadMs();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  expect(threadMs() - before).toBeLessThan(20);
});

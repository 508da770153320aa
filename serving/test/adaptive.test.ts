import { expect, test } from "vitest";
import { AdaptiveExecutor, sizeOf } from "../src/execution/adaptive.ts";
import type { Executor } from "../src/execution/executor.ts";
import type { Tensor } from "../src/tensor/tensor.ts";

/** Takes as long as it is told, by a clock of its own, and remembers the sizes that it ran. */
class TimedExecutor implements Executor {
  readonly capacity: number;
  readonly sizes: number[] = [];
  fault: Error | undefined;
  readonly #tick: () => void;

  constructor(capacity: number, tick: () => void) {
    this.capacity = capacity;
    this.#tick = tick;
  }

  run([x]: readonly Tensor[]): Tensor[] {
    this.sizes.push((x as Tensor).data.length);
    this.#tick();
    if (this.fault !== undefined) throw this.fault;
    return [];
  }

  async close(): Promise<void> {}
}

function adaptive(elements: number, startFault?: Error) {
  const clock = { now: 0, step: 0, used: 0, heldUp: 0 };
  const tick = () => {
    clock.now += clock.step + clock.heldUp;
    clock.used += clock.step;
  };
  const inline = new TimedExecutor(1, tick);
  const workers = new TimedExecutor(4, tick);
  const executor = new AdaptiveExecutor(
    inline,
    elements,
    async () => {
      if (startFault !== undefined) throw startFault;
      return workers;
    },
    () => clock.now,
    () => clock.used,
  );
  const run = async (size: number, ms = 0) => {
    clock.step = ms;
    await executor.run([{ name: "x", datatype: "FP32", shape: [size], data: new Float32Array(size) }], []);
  };
  return { executor, inline, workers, run, clock };
}

test("what is twice as large as what was short runs where it was short; what is larger goes to threads", async () => {
  const { executor, inline, workers, run } = adaptive(100);
  for (const size of [100, 200, 401, 1000]) await run(size, 2);
  expect([inline.sizes, workers.sizes]).toEqual([
    [100, 200],
    [401, 1000],
  ]);
  expect(executor.capacity).toBe(4);
});

test("what turns out to be short may grow, step by step, also what ran on threads", async () => {
  const { inline, workers, run } = adaptive(100);
  for (const size of [200, 400, 800, 5000, 5000]) await run(size);
  expect([inline.sizes, workers.sizes]).toEqual([[200, 400, 800, 5000], [5000]]);
});

test("what takes too long again and again goes to threads, also when it is short in between; one slow run does not", async () => {
  const { inline, workers, run, clock } = adaptive(100);
  // The first that takes long by the clock only makes it look more closely.
  for (const ms of [5, 5, 2, 2, 5, 2]) await run(100, ms);
  expect([inline.sizes.length, workers.sizes.length]).toEqual([6, 0]);
  await run(150, 5);
  await run(150, 5);
  expect([inline.sizes.length, workers.sizes.length]).toEqual([7, 1]);
  // Smaller ones stay, and bring nothing larger back before long.
  for (let count = 0; count < 3; count++) await run(70);
  await run(150);
  expect([inline.sizes.length, workers.sizes.length]).toEqual([10, 2]);
  clock.now += 20_000;
  for (const size of [70, 140]) await run(size);
  expect([inline.sizes.length, workers.sizes.length]).toEqual([12, 2]);
});

test("one run that takes far too long by its size is enough", async () => {
  const { inline, workers, run } = adaptive(100);
  for (const [size, ms] of [[200, 60], [200], [101], [100]] as const) await run(size, ms);
  expect([inline.sizes, workers.sizes]).toEqual([
    [200, 100],
    [200, 101],
  ]);
});

test.each([1, 2])("a model of %d elements goes to threads too when it takes too long", async (elements) => {
  const { inline, workers, run } = adaptive(elements);
  for (let count = 0; count < 10; count++) await run(elements, 10);
  expect([inline.sizes.length, workers.sizes.length]).toEqual([4, 6]);
});

test("where what was short before takes far too long, size tells nothing: everything goes to threads", async () => {
  const { inline, workers, run } = adaptive(100);
  for (const [size, ms] of [[150], [10, 10_000], [1], [100], [10, 10_000], [1]] as const) await run(size, ms);
  expect([inline.sizes, workers.sizes]).toEqual([
    [150, 10],
    [1, 100, 10, 1],
  ]);
});

test("it comes back when it is short for a long time, and once more it goes for good", async () => {
  const { inline, workers, run, clock } = adaptive(1);
  const wait = (minutes: number) => {
    clock.now += minutes * 60_000;
  };
  await run(1, 100);
  wait(9);
  for (let count = 0; count < 3; count++) await run(1);
  expect([inline.sizes.length, workers.sizes.length]).toEqual([1, 3]);
  wait(2);
  for (let count = 0; count < 3; count++) await run(1);
  expect([inline.sizes.length, workers.sizes.length]).toEqual([3, 4]);
  await run(1, 100);
  wait(1_000_000);
  for (let count = 0; count < 3; count++) await run(1);
  expect([inline.sizes.length, workers.sizes.length]).toEqual([4, 7]);
});

test("it goes for good when it takes far too long on a thread meanwhile", async () => {
  const { inline, workers, run, clock } = adaptive(1);
  await run(1, 100);
  await run(1, 100);
  clock.now += 1e12;
  for (let count = 0; count < 3; count++) await run(1);
  expect([inline.sizes.length, workers.sizes.length]).toEqual([1, 4]);
});

test("a thread that is held up says nothing of a model that was always short", async () => {
  const { inline, workers, run } = adaptive(1);
  await run(5, 0.1);
  await run(5, 0.1);
  await run(11, 80);
  await run(5, 0.1);
  expect([inline.sizes.length, workers.sizes.length]).toEqual([2, 2]);
});

test("it stays where it is when no threads can be had", async () => {
  const { inline, run } = adaptive(1, new Error("the file is another now"));
  await run(1, 100);
  await run(1);
  await expect(run(3)).rejects.toThrow("the file is another now");
  expect(inline.sizes).toEqual([1, 1]);
});

test("a run that fails counts when it took long, and shows nothing when it did not", async () => {
  const { inline, workers, run } = adaptive(100);
  inline.fault = new Error("cannot compute this");
  await expect(run(200)).rejects.toThrow("cannot compute this");
  await run(300);
  expect([inline.sizes, workers.sizes]).toEqual([[200], [300]]);
  await expect(run(50, 100)).rejects.toThrow("cannot compute this");
  await run(50);
  expect([inline.sizes, workers.sizes]).toEqual([
    [200, 50],
    [300, 50],
  ]);
});

test("the size of texts is that of their characters", () => {
  const text = (...data: string[]): Tensor => ({ name: "x", datatype: "BYTES", shape: [data.length], data });
  const sizes = [text("a", ""), text("a".repeat(1_000_000)), text()].map((x) => sizeOf([x]));
  expect(sizes).toEqual([2, 3907, 1]);
});

test("runs that are held up by neighbours stay where they are", async () => {
  const { inline, workers, run, clock } = adaptive(100);
  clock.heldUp = 80;
  for (let count = 0; count < 50; count++) await run(100, 0.5);
  // One after the other at first, so that the thread's time was asked for a while before it is held up.
  clock.heldUp = 0;
  for (let count = 0; count < 2_000; count++) await run(100, 0.5);
  clock.heldUp = 80;
  for (let count = 0; count < 50; count++) await run(100, 0.5);
  expect([inline.sizes.length, workers.sizes.length]).toEqual([2_100, 0]);
});

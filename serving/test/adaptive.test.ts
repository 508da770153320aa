import { expect, test } from "vitest";
import { AdaptiveExecutor } from "../src/execution/adaptive.ts";
import type { Executor } from "../src/execution/executor.ts";
import type { Tensor } from "../src/tensor/tensor.ts";

/** Takes as long as it is told, by a clock of its own, and remembers the sizes that it ran. */
class TimedExecutor implements Executor {
  readonly capacity: number;
  readonly sizes: number[] = [];
  readonly #tick: () => void;

  constructor(capacity: number, tick: () => void) {
    this.capacity = capacity;
    this.#tick = tick;
  }

  run([x]: readonly Tensor[]): Tensor[] {
    this.sizes.push((x as Tensor).data.length);
    this.#tick();
    return [];
  }

  async close(): Promise<void> {}
}

function adaptive(elements: number) {
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
    async () => workers,
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

test("one run that takes far too long is enough, once it is looked at closely", async () => {
  const { inline, workers, run } = adaptive(100);
  await run(100, 60);
  await run(100, 60);
  await run(100);
  expect([inline.sizes.length, workers.sizes.length]).toEqual([2, 1]);
});

test("runs that are held up by neighbours stay where they are", async () => {
  const { inline, workers, run, clock } = adaptive(100);
  clock.heldUp = 80;
  for (let count = 0; count < 50; count++) await run(100, 0.5);
  expect([inline.sizes.length, workers.sizes.length]).toEqual([50, 0]);
});

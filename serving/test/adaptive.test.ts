import { expect, test } from "vitest";
import { AdaptiveExecutor } from "../src/execution/adaptive.ts";
import type { Executor } from "../src/execution/executor.ts";
import type { Tensor } from "../src/tensor/tensor.ts";

/** Takes as long as it is told, and remembers the sizes that it ran. */
class TimedExecutor implements Executor {
  readonly capacity: number;
  readonly sizes: number[] = [];
  ms = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  run([x]: readonly Tensor[]): Tensor[] {
    this.sizes.push((x as Tensor).data.length);
    const until = performance.now() + this.ms;
    while (performance.now() < until);
    return [];
  }

  async close(): Promise<void> {}
}

function adaptive(elements: number) {
  const inline = new TimedExecutor(1);
  const workers = new TimedExecutor(4);
  const executor = new AdaptiveExecutor(inline, elements, async () => workers);
  const run = async (size: number, ms = 0) => {
    inline.ms = ms;
    workers.ms = ms;
    await executor.run([{ name: "x", datatype: "FP32", shape: [size], data: new Float32Array(size) }], []);
  };
  return { executor, inline, workers, run };
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

test("what takes too long again and again goes to threads; one slow run in between does not move it", async () => {
  const { inline, workers, run } = adaptive(100);
  for (const ms of [5, 5, 2, 5, 5, 2]) await run(100, ms);
  expect([inline.sizes.length, workers.sizes.length]).toEqual([6, 0]);
  for (let count = 0; count < 4; count++) await run(150, 5);
  expect([inline.sizes.length, workers.sizes.length]).toEqual([9, 1]);
  // Smaller ones stay.
  await run(40, 2);
  expect(inline.sizes.at(-1)).toBe(40);
});

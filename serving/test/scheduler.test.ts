import { expect, test } from "vitest";
import { Cancellation } from "../src/execution/cancellation.ts";
import type { ProtocolError } from "../src/protocol/error.ts";
import { RunError } from "../src/runtime/run-error.ts";
import type { Tensor } from "../src/tensor/tensor.ts";
import { double, HeldExecutor, PromptExecutor, rows, scheduling, turn } from "./held-executor.ts";

/** How a request ends that is not answered with success. */
function refusal(request: Promise<unknown>): Promise<unknown> {
  return request.then(
    () => "answered",
    (error: Error & { status?: number }) => error,
  );
}

test("refuses at once what its queue has no place for, and says when to come again", async () => {
  const executor = new HeldExecutor(1);
  const { infer, scheduler } = scheduling(executor, { queueLimit: 2 });
  const running = infer(rows(1));
  await turn();
  const waiting = [infer(rows(2)), infer(rows(3))];
  expect(scheduler.pending).toBe(3);
  expect(await refusal(infer(rows(4)))).toMatchObject({
    status: 429,
    message: "model 'm' has 2 requests waiting, its limit: try again later",
    headers: { "retry-after": "1" },
  });
  for (let count = 0; count < 3; count++) await executor.release();
  expect(await Promise.all([running, ...waiting])).toEqual([[2], [4], [6]]);
  expect(await Promise.all([infer(rows(5)), turn().then(() => executor.release())])).toMatchObject([[10], undefined]);
});

test("first come is first served, on as many sessions as there are", async () => {
  const executor = new HeldExecutor(2);
  const { infer } = scheduling(executor);
  const answers = [1, 2, 3].map((value) => infer(rows(value)));
  await turn();
  expect(executor.runs.map(([x]) => x?.data[0])).toEqual([1, 2]);
  await executor.release();
  expect(executor.runs.map(([x]) => x?.data[0])).toEqual([1, 2, 3]);
  await executor.release();
  await executor.release();
  expect(await Promise.all(answers)).toEqual([[2], [4], [6]]);
});

test("answers 504 in the queue while every session is busy, and does not run what came too late", async () => {
  const executor = new HeldExecutor(1);
  const { infer, statistics, scheduler } = scheduling(executor);
  const running = infer(rows(1));
  await turn();
  const late = infer(rows(2), { deadline: performance.now() + 30 });
  expect(await refusal(late)).toMatchObject({
    status: 504,
    message: expect.stringMatching(/^the request's deadline passed after \d+ ms, in the queue: model 'm'$/),
  });
  expect(scheduler.pending).toBe(1);
  await executor.release();
  expect(await running).toEqual([2]);
  await turn();
  expect(executor.runs).toHaveLength(1);
  expect(statistics.fail.count).toBe(1);
});

test("does not run what is too late when its turn comes", async () => {
  const executor = new PromptExecutor();
  const { infer } = scheduling(executor);
  const answers = [infer(rows(1), { deadline: performance.now() - 1 }), infer(rows(2))];
  expect(await refusal(answers[0] as Promise<unknown>)).toMatchObject({ status: 504 });
  expect(await answers[1]).toEqual([4]);
  expect(executor.runs).toHaveLength(1);
});

test("answers 504 while the model runs on another thread, and what it gives later is nobody's", async () => {
  const executor = new HeldExecutor(1);
  const { infer, statistics, scheduler } = scheduling(executor);
  const late = infer(rows(1), { deadline: performance.now() + 30 });
  expect(await refusal(late)).toMatchObject({ status: 504, message: expect.stringContaining("while the model ran") });
  // The session is still busy.
  const next = infer(rows(2));
  await turn();
  expect([executor.runs.length, scheduler.pending]).toEqual([1, 2]);
  await executor.release();
  await executor.release();
  expect(await next).toEqual([4]);
  expect([statistics.success.count, statistics.fail.count, scheduler.pending]).toEqual([1, 1, 0]);
});

test("a request whose client left is not run, and is no failure of the model", async () => {
  const executor = new HeldExecutor(1);
  const { infer, statistics, scheduler } = scheduling(executor);
  const running = infer(rows(1));
  await turn();
  const cancellation = new Cancellation();
  const left = refusal(infer(rows(2), { cancellation }));
  cancellation.cancel();
  expect(await left).toMatchObject({ name: "Cancelled" });
  expect(scheduler.pending).toBe(1);
  await executor.release();
  expect(await running).toEqual([2]);
  expect([executor.runs.length, statistics.fail.count]).toEqual([1, 0]);
});

test("what arrived in one turn of the event loop runs as one batch, and each gets its own rows", async () => {
  const executor = new PromptExecutor();
  const { infer, executions, statistics } = scheduling(executor, { maxBatchSize: 4 });
  const answers = await Promise.all([infer(rows(1, 2)), infer(rows(3)), infer(rows(4, 5)), infer(rows(6))]);
  expect(answers).toEqual([[2, 4], [6], [8, 10], [12]]);
  // Four rows at most, in their order.
  expect(executor.runs.map(([x]) => [x?.shape, [...(x?.data ?? [])]])).toEqual([
    [
      [3, 1],
      [1, 2, 3],
    ],
    [
      [3, 1],
      [4, 5, 6],
    ],
  ]);
  expect(executions.map(({ batchSize, queueMs }) => [batchSize, queueMs.length])).toEqual([
    [3, 2],
    [3, 2],
  ]);
  expect([statistics.inferenceCount, statistics.executionCount, statistics.success.count]).toEqual([6, 2, 4]);
});

test("does not join requests of other shapes, or that ask for other outputs", async () => {
  const executor = new PromptExecutor();
  const { infer } = scheduling(executor, { maxBatchSize: 8 });
  const wide: Tensor[] = [{ name: "x", datatype: "FP32", shape: [1, 2], data: Float32Array.of(3, 4) }];
  const others = [infer(rows(1)), infer(rows(2)), infer(wide), infer(rows(5)), infer(rows(6), { outputs: ["y", "z"] })];
  expect(await Promise.all(others)).toEqual([[2], [4], [6, 8], [10], [12]]);
  expect(executor.runs.map(([x]) => x?.shape)).toEqual([
    [2, 1],
    [1, 2],
    [1, 1],
    [1, 1],
  ]);
});

test("joins requests that name the same outputs, each in a list of its own", async () => {
  const executor = new PromptExecutor();
  const { infer } = scheduling(executor, { maxBatchSize: 8 });
  const asks = [1, 2, 3].map((value) => infer(rows(value), { outputs: ["y"] }));
  expect(await Promise.all(asks)).toEqual([[2], [4], [6]]);
  expect(executor.runs).toHaveLength(1);
});

test("nobody gets rows of a request whose inputs differ in their rows", async () => {
  // Gives `b` back.
  const executor = new PromptExecutor(([, b]) => [{ ...(b as Tensor), name: "y" }]);
  const { infer } = scheduling(executor, { maxBatchSize: 8 });
  const two = (a: number[], b: number[]) => [...rows(...a), { ...(rows(...b)[0] as Tensor), name: "b" }];
  const ragged = two([1], [100, 101, 102]);
  const sound = two([2, 3], [200, 201]);
  expect(await Promise.all([infer(ragged), infer(sound)])).toEqual([
    [100, 101, 102],
    [200, 201],
  ]);
  expect(await Promise.all([infer(sound), infer(ragged), infer(sound)])).toEqual([
    [200, 201],
    [100, 101, 102],
    [200, 201],
  ]);
});

test("a bad request fails alone, though it came in a batch", async () => {
  const executor = new PromptExecutor((inputs) => {
    if (inputs[0]?.data.includes(13 as never)) throw new Error("unlucky\n  number");
    return double(inputs);
  });
  const { infer, statistics, scheduler } = scheduling(executor, { maxBatchSize: 8 });
  const [one, bad, two] = await Promise.all([infer(rows(1)), refusal(infer(rows(13))), infer(rows(2))]);
  expect([one, two]).toEqual([[2], [4]]);
  expect(bad).toMatchObject({ status: 500, message: "model 'm' failed: unlucky number" });
  expect([statistics.success.count, statistics.fail.count, scheduler.pending]).toEqual([2, 1, 0]);
});

test.each([
  ["a model that computes others", true, "idx=7 out of bounds", 400, "cannot compute these inputs", "Gather 'pick'"],
  ["a model that computed nothing yet", false, "idx=7 out of bounds", 500, "failed", "Gather 'pick'"],
  ["a lack of memory", true, "std::bad_alloc", 500, "failed", "Gather 'pick'"],
])(
  "a request that the runtime cannot compute is told whose fault it is: %s",
  async (_, isProven, why, status, words, logged) => {
    const text = `Non-zero status code returned while running Gather node. Name:'pick' Status Message: ${why}`;
    const executor = new PromptExecutor(() => {
      throw new RunError(text);
    });
    const { infer } = scheduling(executor, { isProven });
    const error = (await refusal(infer(rows(7)))) as ProtocolError;
    expect(error).toMatchObject({ status, message: `model 'm' ${words}: ${text}` });
    expect(error.logged).toContain(logged);
    expect(error.logged).not.toContain(why);
  },
);

test("a model that turns out to mix rows is run one request at a time from then on", async () => {
  const executor = new PromptExecutor(([x]) => {
    const sum = [...((x as Tensor).data as Float32Array)].reduce((total, value) => total + value, 0);
    return [{ name: "y", datatype: "FP32", shape: [1], data: Float32Array.of(sum) }];
  });
  const { infer } = scheduling(executor, { maxBatchSize: 8 });
  expect(await Promise.all([infer(rows(1)), infer(rows(2))])).toEqual([[1], [2]]);
  expect(await Promise.all([infer(rows(3)), infer(rows(4))])).toEqual([[3], [4]]);
  expect(executor.runs.map(([x]) => x?.shape[0])).toEqual([2, 1, 1, 1, 1]);
});

test("closing lets what waits or runs finish, takes nothing new, then frees the sessions", async () => {
  const executor = new HeldExecutor(1);
  const { infer, scheduler } = scheduling(executor);
  const answers = [infer(rows(1)), infer(rows(2))];
  await turn();
  const closed = scheduler.close();
  expect(await refusal(infer(rows(3)))).toMatchObject({ status: 503, headers: { "retry-after": "1" } });
  await executor.release();
  expect(executor.isClosed).toBe(false);
  await executor.release();
  expect(await Promise.all(answers)).toEqual([[2], [4]]);
  await closed;
  expect(executor.isClosed).toBe(true);
});

test("closing does not wait for a request whose deadline passes in the queue", async () => {
  const executor = new HeldExecutor(1);
  const { infer, scheduler } = scheduling(executor);
  const running = infer(rows(1));
  await turn();
  const late = refusal(infer(rows(2), { deadline: performance.now() + 30 }));
  const closed = scheduler.close();
  expect(await late).toMatchObject({ status: 504 });
  await executor.release();
  await Promise.all([running, closed]);
});

test("closing ends when the last that waits comes too late for its turn", async () => {
  const executor = new HeldExecutor(1);
  const { infer, scheduler } = scheduling(executor);
  const running = infer(rows(1));
  await turn();
  const late = refusal(infer(rows(2), { deadline: performance.now() - 1 }));
  const closed = scheduler.close();
  await executor.release();
  expect(await late).toMatchObject({ status: 504 });
  await Promise.all([running, closed]);
});

test("runs on the event loop's thread give way to sockets and timers again and again", async () => {
  const order: string[] = [];
  const executor = new PromptExecutor((inputs) => {
    order.push("run");
    const until = performance.now() + 2;
    while (performance.now() < until);
    return double(inputs);
  });
  const { infer } = scheduling(executor);
  const answers = Array.from({ length: 20 }, (_, index) => infer(rows(index)));
  setTimeout(() => order.push("timer"), 1);
  await Promise.all(answers);
  expect(order.indexOf("timer")).toBeGreaterThan(-1);
  expect(order.indexOf("timer")).toBeLessThan(order.lastIndexOf("run") - 5);
});

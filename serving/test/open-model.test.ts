import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { expect, onTestFinished, test, vi } from "vitest";
import { type ExecutionSettings, openModel } from "../src/execution/open-model.ts";
import type { Model } from "../src/models/model.ts";
import { Session } from "../src/runtime/session.ts";
import type { Tensor } from "../src/tensor/tensor.ts";
import { additionModel, identityModel, onnxFile } from "./onnx-file.ts";
import { temporaryFolder } from "./server-process.ts";
import { SETTINGS } from "./test-catalog.ts";

/** Twelve products of matrices of this size: several milliseconds from 256 on. */
function heavyModel(size: number | string): Buffer {
  const value = (name: string) => ({ name, type: "FP32", shape: [size, size] }) as const;
  const names = ["x", ...Array.from({ length: 11 }, (_, index) => `p${index}`), "y"];
  const nodes = names.slice(1).map((name, index) => ({
    operator: "MatMul",
    inputs: [names[index] as string, "x"],
    outputs: [name],
  }));
  return onnxFile({ nodes, inputs: [value("x")], outputs: [value("y")] });
}

interface Opened {
  readonly model: Model;
  readonly warnings: string[];
  /** Makes `verify` fail from now on. */
  readonly spoil: () => void;
  /** Puts the file back. */
  readonly mend: () => void;
}

interface FileFacts {
  readonly size: number;
  readonly operators: readonly string[];
  readonly whileServing: boolean;
}

async function open(
  content: Buffer,
  settings: Partial<ExecutionSettings> = {},
  { size = content.length, operators = [], whileServing = false }: Partial<FileFacts> = {},
): Promise<Opened> {
  const file = join(temporaryFolder({ "model.onnx": content }), "model.onnx");
  const warnings: string[] = [];
  let spoilt = false;
  const verify = async () => {
    if (spoilt) throw new Error("the file is another now");
  };
  const model = await openModel(
    { name: "m", version: "1", file, size, operators: new Set(operators), whileServing, verify },
    { ...SETTINGS, mode: "auto", ...settings },
    () => undefined,
    (message) => warnings.push(message),
  );
  onTestFinished(() => model.close());
  const spoil = () => {
    spoilt = true;
    writeFileSync(file, "another");
  };
  const mend = () => {
    spoilt = false;
    writeFileSync(file, content);
  };
  return { model, warnings, spoil, mend };
}

/** The identity matrix, whose every power is itself. */
function unit(size: number): Tensor {
  const data = new Float32Array(size * size);
  for (let index = 0; index < size; index++) data[index * (size + 1)] = 1;
  return { name: "x", datatype: "FP32", shape: [size, size], data };
}

async function infer(model: Model, x: Tensor): Promise<number[]> {
  const [y] = await model.infer([x], { outputs: ["y"], deadline: Number.POSITIVE_INFINITY });
  return [...((y as Tensor).data as Float32Array)];
}

/**
 * The threads that get something to do from now on.
 *
 * @param isLast whether a thread ends instead, as when its memory runs out. (Not while it computes: Node-API's C++ wrapper
 *   then aborts the process.)
 */
function watchThreads(isLast: (count: number) => boolean = () => false): Set<Worker> {
  const threads = new Set<Worker>();
  const original = Worker.prototype.postMessage;
  let count = 0;
  const spy = vi.spyOn(Worker.prototype, "postMessage").mockImplementation(function (this: Worker, ...message) {
    threads.add(this);
    if (isLast(++count)) void this.terminate();
    else original.apply(this, message);
  });
  onTestFinished(() => spy.mockRestore());
  return threads;
}

test("a light model runs on the event loop's thread, a heavy one on threads of its own", async () => {
  const light = await open(additionModel([1, 2]));
  expect(light.model.plan).toMatchObject({ mode: "inline", sessions: 1 });
  expect(light.model.plan.warmUpMs).toBeLessThan(1);
  const heavy = await open(heavyModel(256), { workers: 2 });
  expect(heavy.model.plan).toMatchObject({ mode: "workers", sessions: 2, maxBatchSize: 1 });
  expect(heavy.model.plan.warmUpMs).toBeGreaterThan(1);
  expect(await infer(heavy.model, unit(256))).toEqual([...unit(256).data]);
});

test("a model with large weights is loaded by a thread, however light it is", async () => {
  const { model } = await open(additionModel([1]), {}, { size: 400_000_000 });
  expect(model.plan.mode).toBe("workers");
});

/** Divides by the largest element of the batch, or by this where none is as large. */
function scalingModel(least: number): Buffer {
  const value = (name: string) => ({ name, type: "FP32", shape: ["n", 2] }) as const;
  return onnxFile({
    nodes: [
      { operator: "ReduceMax", inputs: ["x"], outputs: ["largest"] },
      { operator: "Max", inputs: ["largest", "least"], outputs: ["scale"] },
      { operator: "Div", inputs: ["x", "scale"], outputs: ["y"] },
    ],
    inputs: [value("x")],
    outputs: [value("y")],
    initializers: [{ name: "least", values: [least] }],
  });
}

test("a model whose rows make a difference to each other only when they are large is not batched", async () => {
  const { model } = await open(scalingModel(100), { batching: "auto", maxBatchSize: 32 });
  expect(model.plan.maxBatchSize).toBe(1);
});

test.each(["DynamicQuantizeLinear", "DynamicQuantizeMatMul", "DynamicQuantizeLSTM", "If", "Loop"])(
  "a model with %s in it is not batched, whatever its rows look like",
  async (operator) => {
    const { model } = await open(identityRows(), { batching: "auto" }, { operators: ["Identity", operator] });
    expect(model.plan.maxBatchSize).toBe(1);
  },
);

function identityRows(): Buffer {
  return identityModel([{ name: "x", type: "FP32", shape: ["n", 2] }]);
}

test("the mode can be set, against what was measured", async () => {
  const threads = watchThreads();
  const { model } = await open(heavyModel(256), { mode: "inline" });
  expect(model.plan.mode).toBe("inline");
  expect(await infer(model, unit(256))).toEqual([...unit(256).data]);
  expect(threads.size).toBe(0);
  const light = await open(additionModel([1]), { mode: "workers" });
  expect(light.model.plan.mode).toBe("workers");
  const x: Tensor = { name: "x", datatype: "FP32", shape: [1], data: Float32Array.of(4) };
  expect(await infer(light.model, x)).toEqual([5]);
  expect(threads.size).toBe(1);
});

test("workers times threads is what the CPU limit feeds, also where a model asks for more threads", async () => {
  const sessions = async (cpus: number, intraOpThreads: number) => {
    const { model } = await open(additionModel([1]), { mode: "workers", workers: undefined, cpus, intraOpThreads });
    return model.plan.sessions;
  };
  expect([await sessions(3, 1), await sessions(3, 2), await sessions(4, 2), await sessions(2, 4)]).toEqual([
    3, 1, 2, 1,
  ]);
});

test("the event loop stays free while a heavy model runs", async () => {
  const { model } = await open(heavyModel(384));
  let turns = 0;
  const count = () => {
    turns++;
    timer = setImmediate(count);
  };
  let timer = setImmediate(count);
  await Promise.all(Array.from({ length: 4 }, () => infer(model, unit(384))));
  clearImmediate(timer);
  // On the loop's own thread it would be a handful.
  expect(turns).toBeGreaterThan(100);
});

test("a model that is light for small requests runs large ones on threads, which start when the first comes", async () => {
  const threads = watchThreads();
  const { model } = await open(heavyModel("n"), { workers: 1 });
  expect(model.plan.mode).toBe("inline");
  expect(await infer(model, unit(1))).toEqual([1]);
  expect(threads.size).toBe(0);
  expect(await infer(model, unit(200))).toEqual([...unit(200).data]);
  expect(threads.size).toBe(1);
});

/** Multiplies a matrix by itself as often as its input says. */
function loopingModel(): Buffer {
  const matrix = (name: string) => ({ name, type: "FP32", shape: [64, 64] }) as const;
  const scalar = (name: string, type: "INT64" | "BOOL") => ({ name, type, shape: [] }) as const;
  const body = {
    nodes: [
      { operator: "Identity", inputs: ["go"], outputs: ["goes"] },
      { operator: "MatMul", inputs: ["before", "before"], outputs: ["after"] },
    ],
    inputs: [scalar("turn", "INT64"), scalar("go", "BOOL"), matrix("before")],
    outputs: [scalar("goes", "BOOL"), matrix("after")],
  };
  return onnxFile({
    nodes: [{ operator: "Loop", inputs: ["turns", "", "x"], outputs: ["y"], subgraphs: { body } }],
    inputs: [scalar("turns", "INT64"), matrix("x")],
    outputs: [matrix("y")],
  });
}

test("a model that is slow for some values leaves the event loop's thread after the first of them", async () => {
  const threads = watchThreads();
  const { model } = await open(loopingModel(), { workers: 1 });
  expect(model.plan.mode).toBe("inline");
  const turn = async (count: bigint) => {
    const turns: Tensor = { name: "turns", datatype: "INT64", shape: [], data: BigInt64Array.of(count) };
    await model.infer([turns, unit(64)], { outputs: ["y"], deadline: Number.POSITIVE_INFINITY });
  };
  for (const count of [1n, 2n, 40_000n]) await turn(count);
  expect(threads.size).toBe(0);
  await turn(1n);
  expect(threads.size).toBe(1);
});

/** Light, but long to load: what its many nodes compute is a constant. */
function constantModel(nodes: number): Buffer {
  const names = ["w", ...Array.from({ length: nodes }, (_, index) => `w${index + 1}`)];
  const value = (name: string) => ({ name, type: "FP32", shape: ["n"] }) as const;
  return onnxFile({
    nodes: [
      ...names.slice(1).map((name, index) => ({ operator: "Neg", inputs: [names[index] as string], outputs: [name] })),
      { operator: "Add", inputs: ["x", `w${nodes}`], outputs: ["y"] },
    ],
    inputs: [value("x")],
    outputs: [value("y")],
    initializers: [{ name: "w", values: [5] }],
  });
}

/** How often a model was loaded by this thread. */
function watchLoads(): () => number {
  const spy = vi.spyOn(Session, "load");
  onTestFinished(() => spy.mockRestore());
  return () => spy.mock.calls.length;
}

const FOUR: Tensor = { name: "x", datatype: "FP32", shape: [1], data: Float32Array.of(4) };

test("beside requests a light model is tried on a thread before it is loaded here; at the start there is none", async () => {
  const threads = watchThreads();
  const loads = watchLoads();
  const first = await open(additionModel([1]));
  expect([first.model.plan.mode, loads(), threads.size]).toEqual(["inline", 1, 0]);
  const next = await open(additionModel([1]), {}, { whileServing: true });
  expect([next.model.plan.mode, loads(), threads.size]).toEqual(["inline", 2, 1]);
  expect(await infer(next.model, FOUR)).toEqual([5]);
});

test("beside requests a heavy model, and one that takes long to load, are not loaded here", async () => {
  const loads = watchLoads();
  const heavy = await open(heavyModel(256), { workers: 2 }, { whileServing: true });
  expect(heavy.model.plan).toMatchObject({ mode: "workers", sessions: 2 });
  const long = await open(constantModel(4_000), {}, { whileServing: true });
  expect([long.model.plan.mode, loads()]).toEqual(["workers", 0]);
  expect(await infer(long.model, FOUR)).toEqual([9]);
  const atStart = await open(constantModel(4_000));
  expect([atStart.model.plan.mode, loads()]).toEqual(["inline", 1]);
});

test("threads that start later do not load a file that changed meanwhile", async () => {
  const { model, spoil, mend } = await open(heavyModel("n"), { workers: 1 });
  spoil();
  await expect(infer(model, unit(200))).rejects.toMatchObject({
    status: 500,
    message: "model 'm' failed: the file is another now",
  });
  expect(await infer(model, unit(1))).toEqual([1]);
  mend();
  expect(await infer(model, unit(200))).toEqual([...unit(200).data]);
});

test("a thread that ends by itself fails its own request only, and another takes its place", async () => {
  const threads = watchThreads((count) => count === 1);
  const { model } = await open(heavyModel(64), { mode: "workers", workers: 1 });
  const [lost, next] = await Promise.allSettled([infer(model, unit(64)), infer(model, unit(64))]);
  expect(lost).toMatchObject({
    status: "rejected",
    reason: { status: 500, message: "model 'm' failed: the thread of its session ended: exit code 1" },
  });
  expect(next).toMatchObject({ status: "fulfilled", value: [...unit(64).data] });
  expect(threads.size).toBe(2);
  expect(model.pending).toBe(0);
});

test("a thread that ends while nobody asks is replaced when somebody does, unless the file changed", async () => {
  const threads = watchThreads();
  const { model, spoil } = await open(heavyModel(64), { mode: "workers", workers: 1 });
  expect(await infer(model, unit(64))).toEqual([...unit(64).data]);
  for (const thread of threads) await thread.terminate();
  expect(await infer(model, unit(64))).toEqual([...unit(64).data]);
  for (const thread of threads) await thread.terminate();
  spoil();
  for (let count = 0; count < 2; count++)
    await expect(infer(model, unit(64))).rejects.toMatchObject({
      message: "model 'm' failed: the file is another now",
    });
});

test("says when a model does not run on zeros, and serves it all the same", async () => {
  // Fixed shapes that contradict each other are found out by the first run only.
  const value = (name: string, shape: readonly (number | string)[]) => ({ name, type: "FP32", shape }) as const;
  const content = onnxFile({
    nodes: [{ operator: "MatMul", inputs: ["x", "w"], outputs: ["y"] }],
    inputs: [value("x", ["n", "k"]), value("w", ["k2", 2])],
    outputs: [value("y", ["n", 2])],
  });
  const { model, warnings } = await open(content, { warmUpShapes: { x: [1, 3], w: [2, 2] } });
  expect(warnings).toHaveLength(1);
  expect(model.plan.warmUpMs).toBeUndefined();
  const [y] = await model.infer(
    [
      { name: "x", datatype: "FP32", shape: [1, 1], data: Float32Array.of(3) },
      { name: "w", datatype: "FP32", shape: [1, 2], data: Float32Array.of(1, 2) },
    ],
    { outputs: ["y"], deadline: Number.POSITIVE_INFINITY },
  );
  expect([...(y?.data ?? [])]).toEqual([3, 6]);
});

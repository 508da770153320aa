import { expect, test } from "vitest";
import { canJoin, hasBatchDimension, joinInputs, sliceOutputs } from "../src/execution/batch.ts";
import { measure } from "../src/execution/measure.ts";
import type { Session } from "../src/runtime/session.ts";
import type { Tensor, TensorSpec } from "../src/tensor/tensor.ts";

const ROWS: TensorSpec = { name: "x", datatype: "FP32", shape: [-1, 2] };

interface Behaviour {
  /** Milliseconds of a run of so many rows. */
  readonly time: (rows: number) => number;
  readonly inputs?: readonly TensorSpec[];
  readonly outputs?: readonly TensorSpec[];
  /** What the model makes of a batch; by default each number plus 1. */
  readonly compute?: (x: Tensor) => Tensor;
}

/** A model on a clock of its own: a run takes as long as it is said to. */
function model({ time, inputs = [ROWS], outputs = [{ ...ROWS, name: "y" }], compute = plusOne }: Behaviour) {
  let now = 0;
  const sizes: number[] = [];
  const session = {
    inputs,
    outputs,
    run: ([x]: readonly Tensor[]) => {
      const rows = (x as Tensor).shape[0] ?? 1;
      sizes.push(rows);
      now += time(rows);
      return [compute(x as Tensor)];
    },
  };
  return { session: session as unknown as Session, now: () => now, sizes };
}

function plusOne({ datatype, shape, data }: Tensor): Tensor {
  return { name: "y", datatype, shape, data: (data as Float32Array).map((value) => value + 1) };
}

test("gathers into the largest batch that still pays", () => {
  // A batch costs 1 ms and 0.1 ms a row up to 16 rows; then each row costs as much as alone.
  const { session, now, sizes } = model({ time: (rows) => (rows <= 16 ? 1 + 0.1 * rows : 1.1 * rows) });
  const { singleMs, maxBatchSize, fault } = measure(session, { maxBatchSize: 64 }, now);
  expect([singleMs?.toFixed(3), maxBatchSize, fault]).toEqual(["1.100", 16, undefined]);
  // Nothing larger than the first size that does not pay was tried.
  expect(Math.max(...sizes)).toBe(32);
});

test("gathers nothing where a batch takes as long as its rows, or where it is told not to", () => {
  const computeBound = model({ time: (rows) => 5 * rows });
  expect(measure(computeBound.session, { maxBatchSize: 64 }, computeBound.now).maxBatchSize).toBe(1);
  const cheap = model({ time: () => 1 });
  expect(measure(cheap.session, { maxBatchSize: 1 }, cheap.now).maxBatchSize).toBe(1);
  expect(Math.max(...cheap.sizes)).toBe(1);
});

test("a light model is measured once its way is compiled: a slow start decides nothing", () => {
  // The first runs of each size take as much longer as they were seen to when the server had just started.
  const seen = new Map<number, number>();
  const settling = model({
    time: (rows) => {
      const before = seen.get(rows) ?? 0;
      seen.set(rows, before + 1);
      return rows === 1 ? 0.04 : 0.04 + (before < 10 ? 0.05 : 0.001 * rows);
    },
  });
  expect(measure(settling.session, { maxBatchSize: 64 }, settling.now).maxBatchSize).toBe(64);
});

test("a light batch of two that does not pay does not end it, but two sizes in a row do", () => {
  // To join costs nearly as much as a run, however many rows there are.
  const joining = model({ time: (rows) => (rows === 1 ? 0.04 : 0.075) });
  expect(measure(joining.session, { maxBatchSize: 64 }, joining.now).maxBatchSize).toBe(64);
  const dear = model({ time: (rows) => (rows === 1 ? 0.04 : 0.12) });
  expect(measure(dear.session, { maxBatchSize: 64 }, dear.now).maxBatchSize).toBe(1);
  const never = model({ time: (rows) => 0.05 * (rows === 1 ? 1 : 0.9 * rows) });
  expect(measure(never.session, { maxBatchSize: 64 }, never.now).maxBatchSize).toBe(1);
  expect(Math.max(...never.sizes)).toBe(4);
});

test("ends on a clock that stands still", () => {
  const timeless = model({ time: () => 0 });
  expect(measure(timeless.session, { maxBatchSize: 2 }, timeless.now).singleMs).toBe(0);
});

test("what it takes to put a batch together counts: large tensors of a light model are not gathered", () => {
  const wide: TensorSpec = { name: "x", datatype: "FP32", shape: [-1, 500_000] };
  const first = (x: Tensor): Tensor => ({ ...x, name: "y", shape: [x.shape[0] ?? 1, 1], data: firstOfRows(x) });
  const light = model({ time: () => 0, inputs: [wide], compute: first });
  expect(measure(light.session, { maxBatchSize: 64 }).maxBatchSize).toBe(1);
});

function firstOfRows({ shape: [rows = 1, width = 1], data }: Tensor): Float32Array {
  return Float32Array.from({ length: rows }, (_, row) => Number(data[row * width]));
}

test.each<[TensorSpec["datatype"], number]>([
  ["FP32", 5],
  ["FP32", 500],
  ["FP32", 400_000],
  ["FP64", 400_000],
  ["FP16", 20_000],
  ["INT64", 400_000],
  ["UINT64", 400_000],
  ["INT32", 400_000],
  ["UINT32", 400_000],
  ["INT16", 10_000],
  ["UINT16", 20_000],
  ["INT8", 50],
  ["UINT8", 100],
  ["BYTES", 400],
])("finds out that rows of %s are mixed by what is above %d, and by what is below", (datatype, bound) => {
  const spec: TensorSpec = { name: "x", datatype, shape: [-1, 1] };
  const outputs = [{ ...spec, name: "y", datatype: "FP32" as const }];
  for (const sign of hasSign(datatype) ? [1, -1] : [1]) {
    const compute = (x: Tensor): Tensor => {
      const sizes = sizesOf(x);
      const scale = Math.max(bound, ...sizes.map((size) => sign * size));
      return { ...x, name: "y", datatype: "FP32", data: Float32Array.from(sizes, (size) => size / scale) };
    };
    const mixing = model({ time: () => 1, inputs: [spec], outputs, compute });
    expect(measure(mixing.session, { maxBatchSize: 64 }, mixing.now).maxBatchSize).toBe(1);
  }
  const apart = (x: Tensor): Tensor => ({ ...x, name: "y", datatype: "FP32", data: Float32Array.from(sizesOf(x)) });
  const { session, now } = model({ time: () => 1, inputs: [spec], outputs, compute: apart });
  expect(measure(session, { maxBatchSize: 64 }, now).maxBatchSize).toBe(64);
});

function hasSign(datatype: TensorSpec["datatype"]): boolean {
  return datatype !== "BYTES" && !datatype.startsWith("UINT");
}

/** Numbers as they are, texts by their length. */
function sizesOf({ datatype, data }: Tensor): number[] {
  if (datatype === "BYTES") return (data as string[]).map(({ length }) => length);
  if (datatype !== "FP16") return Array.from(data as ArrayLike<number | bigint>, Number);
  const view = new DataView((data as Uint16Array).slice().buffer);
  return Array.from({ length: data.length }, (_, index) => view.getFloat16(2 * index, true));
}

test("gathers nothing where rows are not treated apart", () => {
  const mean = (x: Tensor): Tensor => {
    const data = x.data as Float32Array;
    const average = data.reduce((sum, value) => sum + value, 0) / data.length;
    return { ...x, name: "y", data: data.map((value) => value - average) };
  };
  const mixing = model({ time: () => 1, compute: mean });
  expect(measure(mixing.session, { maxBatchSize: 64 }, mixing.now).maxBatchSize).toBe(1);
  const summing = model({ time: () => 1, compute: (x) => ({ ...plusOne(x), shape: [1, x.data.length] }) });
  expect(measure(summing.session, { maxBatchSize: 64 }, summing.now).maxBatchSize).toBe(1);
});

test.each<[TensorSpec["datatype"], (data: Tensor["data"]) => Tensor["data"]]>([
  ["FP32", (data) => (data as Float32Array).map((value) => value - Math.max(...(data as Float32Array)))],
  [
    "INT64",
    (data) => (data as BigInt64Array).map((value) => value - ([...(data as BigInt64Array)].sort().at(-1) ?? 0n)),
  ],
  ["INT32", (data) => (data as Int32Array).map((value) => value - Math.max(...(data as Int32Array)))],
  ["BYTES", (data) => (data as string[]).map(() => [...(data as string[])].sort().at(-1) ?? "")],
  // One that changes results a little: the scale of numbers is taken from the whole batch.
  [
    "FP32",
    (data) => (data as Float32Array).map((value) => 1e-3 * (value + 0.01 * Math.max(...(data as Float32Array)))),
  ],
])("finds out that rows of %s are mixed, by the largest of them", (datatype, compute) => {
  const spec: TensorSpec = { name: "x", datatype, shape: [-1, 1] };
  const outputs = [{ ...spec, name: "y" }];
  const apart = model({ time: () => 1, inputs: [spec], outputs, compute: (x) => ({ ...x, name: "y" }) });
  expect(measure(apart.session, { maxBatchSize: 64 }, apart.now).maxBatchSize).toBe(64);
  const mixed = (x: Tensor): Tensor => ({ ...x, name: "y", data: compute(x.data) });
  const mixing = model({ time: () => 1, inputs: [spec], outputs, compute: mixed });
  expect(measure(mixing.session, { maxBatchSize: 64 }, mixing.now).maxBatchSize).toBe(1);
});

/** Models of whole numbers that are indices into a table of this length, and of numbers with a fraction beside them. */
function lookup(length: number, others: (sum: number) => number) {
  const index: TensorSpec = { name: "x", datatype: "INT64", shape: [-1, 1] };
  const factor: TensorSpec = { name: "f", datatype: "FP32", shape: [-1, 1] };
  const largest = { index: 0, factor: 0 };
  const run = ([x, f]: readonly Tensor[]) => {
    const indices = [...((x as Tensor).data as BigInt64Array)].map(Number);
    const factors = [...((f as Tensor).data as Float32Array)];
    if (indices.some((at) => Math.abs(at) >= length)) throw new Error("index out of range");
    largest.index = Math.max(largest.index, ...indices);
    largest.factor = Math.max(largest.factor, ...factors);
    const data = Float32Array.from(indices, (at, row) => at + others(factors[row] as number));
    return [{ ...(f as Tensor), name: "y", data }];
  };
  const session = { inputs: [index, factor], outputs: [{ ...factor, name: "y" }], run } as unknown as Session;
  let now = 0;
  return { session, largest, now: () => now++ };
}

test("indices are tried as far as they are in range, and what stands beside them further", () => {
  const { session, largest, now } = lookup(5_000, (factor) => factor);
  expect(measure(session, { maxBatchSize: 64 }, now).maxBatchSize).toBe(64);
  expect(largest.index).toBeGreaterThan(499);
  expect(largest.factor).toBeGreaterThan(499_999);
});

test("a model of which no row runs but zeros is not batched", () => {
  const { session, now } = lookup(1, (factor) => factor);
  expect(measure(session, { maxBatchSize: 64 }, now)).toMatchObject({ fault: undefined, maxBatchSize: 1 });
});

test("rows that run apart but not together are not batched", () => {
  const { session, now } = model({
    time: () => 1,
    compute: (x) => {
      const data = x.data as Float32Array;
      if (Math.max(...data) - Math.min(...data) > 5_000) throw new Error("too far apart");
      return plusOne(x);
    },
  });
  expect(measure(session, { maxBatchSize: 64 }, now).maxBatchSize).toBe(1);
});

test("values that make a model compute for long are not made larger still", () => {
  const spec: TensorSpec = { name: "x", datatype: "INT32", shape: [-1, 1] };
  let largest = 0;
  let now = 0;
  const run = ([x]: readonly Tensor[]) => {
    const steps = Math.max(...((x as Tensor).data as Int32Array));
    largest = Math.max(largest, steps);
    now += 0.5 + Math.max(0, steps) / 100;
    return [{ ...(x as Tensor), name: "y" }];
  };
  const session = { inputs: [spec], outputs: [{ ...spec, name: "y" }], run } as unknown as Session;
  expect(measure(session, { maxBatchSize: 64 }, () => now).maxBatchSize).toBe(64);
  expect(largest).toBeGreaterThan(50);
  expect(largest).toBeLessThanOrEqual(1_000);
});

test("tries no batches of a slow model, and does not run it again and again", () => {
  const { session, now, sizes } = model({ time: () => 250 });
  expect(measure(session, { maxBatchSize: 64 }, now)).toEqual({ singleMs: 250, fault: undefined, maxBatchSize: 1 });
  expect(sizes).toEqual([1]);
});

test("keeps what went well when a larger batch is too much", () => {
  const { session, now } = model({
    time: () => 1,
    compute: (x) => {
      if ((x.shape[0] ?? 1) > 8) throw new Error("out of memory");
      return plusOne(x);
    },
  });
  expect(measure(session, { maxBatchSize: 64 }, now).maxBatchSize).toBe(8);
});

test("says why zeros are no input that a model takes", () => {
  const { session, now } = model({
    time: () => 1,
    compute: () => {
      throw new Error("division by zero");
    },
  });
  expect(measure(session, { maxBatchSize: 64 }, now)).toEqual({
    singleMs: undefined,
    fault: "division by zero",
    maxBatchSize: 1,
  });
});

test("warms up with the shapes that it is given", () => {
  const { session, now, sizes } = model({ time: (rows) => rows });
  expect(measure(session, { maxBatchSize: 1, shapes: { x: [3, 2] } }, now).singleMs).toBe(3);
  expect(new Set(sizes)).toEqual(new Set([3]));
});

test("a batch dimension is an open first one, of every input and every output", () => {
  const fixed: TensorSpec = { ...ROWS, shape: [1, 2] };
  const scalar: TensorSpec = { ...ROWS, shape: [] };
  expect(hasBatchDimension([ROWS], [ROWS])).toBe(true);
  for (const other of [fixed, scalar]) {
    expect(hasBatchDimension([ROWS, other], [ROWS])).toBe(false);
    expect(hasBatchDimension([ROWS], [other])).toBe(false);
  }
  expect(hasBatchDimension([], [ROWS])).toBe(false);
});

test("joins the rows of every datatype in order, and gives each its own back", () => {
  const tensor = (datatype: Tensor["datatype"], data: Tensor["data"]): Tensor => {
    return { name: "x", datatype, shape: [data.length, 1], data };
  };
  for (const [one, other, both] of [
    [tensor("BYTES", ["a"]), tensor("BYTES", ["b", "c"]), ["a", "b", "c"]],
    [tensor("INT64", BigInt64Array.of(-1n)), tensor("INT64", BigInt64Array.of(2n ** 62n)), [-1n, 2n ** 62n]],
    [tensor("FP16", Uint16Array.of(0x3c00)), tensor("FP16", Uint16Array.of(1, 2)), [0x3c00, 1, 2]],
    [tensor("BOOL", Uint8Array.of(1, 0)), tensor("BOOL", Uint8Array.of(1)), [1, 0, 1]],
  ] as const) {
    expect(canJoin([one], [other])).toBe(true);
    const total = one.data.length + other.data.length;
    const joined = joinInputs([[one], [other]], total);
    expect(joined[0]?.shape).toEqual([total, 1]);
    expect([...(joined[0]?.data ?? [])]).toEqual(both);
    const back = sliceOutputs(joined, { from: one.data.length, rows: other.data.length, total });
    expect(back?.[0]?.data).toEqual(other.data);
    expect(back?.[0]?.shape).toEqual(other.shape);
  }
});

test("inputs of one request that differ in their rows cannot be joined", () => {
  const x = (size: number): Tensor => ({ name: "x", datatype: "FP32", shape: [size, 1], data: new Float32Array(size) });
  expect(canJoin([x(1), x(1)], [x(2), x(2)])).toBe(true);
  expect(canJoin([x(1), x(1)], [x(2), x(1)])).toBe(false);
  expect(sliceOutputs([x(3)], { from: 0, rows: 1, total: 2 })).toBeUndefined();
});

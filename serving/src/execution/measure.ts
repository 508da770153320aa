import type { Session } from "../runtime/session.ts";
import { allocate, elementCount, type Tensor, type TensorSpec } from "../tensor/tensor.ts";
import { hasBatchDimension, joinInputs, sliceOutputs } from "./batch.ts";

/** What a few runs before the first request showed. */
export interface Measurement {
  /** Milliseconds of one run of one row, the median; undefined when the model takes no zeros of this size. */
  readonly singleMs: number | undefined;
  /** Why it did not run, when it did not. */
  readonly fault: string | undefined;
  /** Largest batch for which gathering pays; 1: it does not, or rows are not treated apart. */
  readonly maxBatchSize: number;
}

export interface MeasureOptions {
  /** Shapes for inputs that do not take 1 in each open dimension, by name. */
  readonly shapes?: Readonly<Record<string, readonly number[]>> | undefined;
  /** Largest batch to try; 1: none. */
  readonly maxBatchSize: number;
  /** Where one run takes longer, in milliseconds, it is not repeated. */
  readonly slowMs?: number;
}

const RUNS = 5;
/** Light runs are repeated for as long as this: until then the binding's own code and the joining are not compiled. */
const SETTLE_MS = 2;
/** A clock that stands still must not make them endless. */
const MOST_RUNS = 1000;
/** Where one run takes longer, it is not repeated, and batches are not tried: start would take too long. */
const SLOW_MS = 200;
/** How often rows are looked at together, each time other ones. */
const TRIALS = 2;
/** Above this, what it costs to put a batch together does not count: where one size does not pay, a larger one does not. */
const JOINING_COUNTS_BELOW_MS = 2;
/** A batch pays when it saves at least this part of the time that its rows take one by one. */
const LEAST_SAVING = 0.2;
/** Of the largest element of an output: rows of a batch may differ from rows alone by it, as sums are made in another order. */
const TOLERANCE = 1e-4;

/**
 * Runs a model on zeros, so that the first request does not pay for the runtime's lazy set-up, and measures what decides
 * how it is run.
 *
 * @param now the clock, in milliseconds
 */
export function measure(
  session: Session,
  options: MeasureOptions,
  now: () => number = () => performance.now(),
): Measurement {
  const names = session.outputs.map(({ name }) => name);
  const zeros = session.inputs.map((spec) => sample(spec, options.shapes?.[spec.name], () => 0));
  const run = (inputs: readonly Tensor[]) => {
    const start = now();
    session.run(inputs, names);
    return now() - start;
  };
  let singleMs: number;
  try {
    singleMs = run(zeros);
    if (singleMs < (options.slowMs ?? SLOW_MS)) singleMs = settled(() => run(zeros));
  } catch (error) {
    return { singleMs: undefined, fault: error instanceof Error ? error.message : String(error), maxBatchSize: 1 };
  }
  const tryBatches =
    options.maxBatchSize > 1 && singleMs < SLOW_MS && hasBatchDimension(session.inputs, session.outputs);
  const maxBatchSize = tryBatches ? largestBatchThatPays(session, zeros, singleMs, options.maxBatchSize, now) : 1;
  return { singleMs, fault: undefined, maxBatchSize };
}

function largestBatchThatPays(
  session: Session,
  zeros: readonly Tensor[],
  singleMs: number,
  most: number,
  now: () => number,
): number {
  const names = session.outputs.map(({ name }) => name);
  let best = 1;
  let failures = 0;
  try {
    if (!treatsRowsApart(session, zeros)) return 1;
    for (let size = 2; size <= most; size *= 2) {
      const requests = Array.from({ length: size }, () => zeros);
      // To put a batch together is a part of its price: for large tensors on light models, the greater part.
      const runTogether = () => {
        const start = now();
        session.run(joinInputs(requests, size * (zeros[0]?.shape[0] ?? 1)), names);
        return now() - start;
      };
      runTogether();
      const time = settled(runTogether);
      if (time <= size * singleMs * (1 - LEAST_SAVING)) best = size;
      // A size that is passed over is used as well: it must not cost more than its rows alone.
      else if (best > 1 || time > Math.min(size * singleMs, JOINING_COUNTS_BELOW_MS) || ++failures === 2) break;
      if (time > SLOW_MS) break;
    }
  } catch {
    // A batch of that size is too much for it, or it takes none: what went well before stays.
  }
  return best;
}

/** Whether rows that ran together give what each gives alone. Not on zeros, which would hide that they are mixed. */
function treatsRowsApart(session: Session, zeros: readonly Tensor[]): boolean {
  const names = session.outputs.map(({ name }) => name);
  const random = generator(1);
  const rows = zeros[0]?.shape[0] ?? 1;
  for (let trial = 0; trial < TRIALS; trial++) {
    const requests = contrasting(zeros, random);
    const total = requests.length * rows;
    const together = session.run(joinInputs(requests, total), names);
    const areAlike = requests.every((inputs, index) => {
      const part = sliceOutputs(together, { from: index * rows, rows, total });
      const alone = session.run(inputs, names);
      return part?.every((tensor, output) => isClose(tensor, alone[output] as Tensor)) ?? false;
    });
    if (!areAlike) return false;
  }
  return true;
}

/** Three requests of this form: one at random, its opposite, which differs from it in every element, and another. */
function contrasting(form: readonly Tensor[], random: () => number): readonly (readonly Tensor[])[] {
  const of = (value: () => number) =>
    form.map(({ name, datatype, shape }) => sample({ name, datatype, shape }, shape, value));
  const drawn: number[] = [];
  const first = of(() => {
    const value = random();
    drawn.push(value);
    return value;
  });
  let index = 0;
  const second = of(() => 1 - (drawn[index++] as number));
  return [first, second, of(random)];
}

function isClose(one: Tensor, other: Tensor): boolean {
  if (one.data.length !== other.data.length || one.shape.join() !== other.shape.join()) return false;
  let largest = 0;
  for (const value of other.data) if (typeof value === "number" && Math.abs(value) > largest) largest = Math.abs(value);
  for (let index = 0; index < one.data.length; index++) {
    const a = one.data[index];
    const b = other.data[index];
    if (a === b) continue;
    if (typeof a !== "number" || typeof b !== "number") return false;
    if (Number.isNaN(a) && Number.isNaN(b)) continue;
    if (!(Math.abs(a - b) <= TOLERANCE * largest)) return false;
  }
  return true;
}

/** @param value from 0 to 1; 0 gives zeros and empty texts */
function sample(spec: TensorSpec, shape: readonly number[] | undefined, value: () => number): Tensor {
  const size = shape ?? spec.shape.map((dimension) => (dimension === -1 ? 1 : dimension));
  const data = allocate(spec.datatype, elementCount(size));
  for (let index = 0; index < data.length; index++) {
    switch (spec.datatype) {
      case "FP32":
      case "FP64":
        data[index] = value();
        break;
      // Whole numbers may be indices: 0 and 1 are the safest there are.
      case "INT64":
      case "UINT64":
        data[index] = value() > 0.5 ? 1n : 0n;
        break;
      case "BYTES":
        data[index] = value() > 0.5 ? "a" : "";
        break;
      // Half-precision bits: 0x3800 is 0.5.
      case "FP16":
        data[index] = value() > 0.5 ? 0x3800 : 0;
        break;
      default:
        data[index] = value() > 0.5 ? 1 : 0;
    }
  }
  return { name: spec.name, datatype: spec.datatype, shape: size, data };
}

/** Numbers from 0 to 1 that are the same at each start (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The median time of a few runs; of many where they are light. */
function settled(run: () => number): number {
  const times: number[] = [];
  for (let total = 0; times.length < RUNS || (total < SETTLE_MS && times.length < MOST_RUNS); ) {
    const time = run();
    times.push(time);
    total += time;
  }
  return median(times);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

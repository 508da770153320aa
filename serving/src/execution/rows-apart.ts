import type { Session } from "../runtime/session.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { joinInputs, sliceOutputs } from "./batch.ts";
import { type Draw, generator, isWhole, narrow, wide } from "./sample.ts";

/** How often rows of numbers from 0 to 1 are looked at together, each time other ones. */
const TRIALS = 2;
/** How large the numbers are that stand beside small ones. Each step is small: they may say how much there is to compute. */
const MAGNITUDES = [10, 100, 1_000, 10_000, 100_000, 1_000_000];
/** A run on large values that takes this many times as long as one on small values, and this many milliseconds more, … */
const SLOWER = 2;
const SLOWER_MS = 1;
/** … each of so many times: once may be the machine's doing. */
const SLOW_RUNS = 3;
/** Of the largest element of an output: rows of a batch may differ from rows alone by it, as sums are made in another order. */
const TOLERANCE = 1e-4;

type Request = readonly Tensor[];

/**
 * Whether rows of numbers from 0 to 1 gave together what they give alone. Not on zeros, which would hide that they are mixed.
 *
 * @param form inputs of one request, for their shapes
 */
export function treatsRowsApart(session: Session, form: Request): boolean {
  const rows = new Rows(session, form);
  const random = generator(1);
  try {
    for (let trial = 0; trial < TRIALS; trial++) if (!standContrast(rows, random)) return false;
    return true;
  } catch {
    // It takes no rows but zeros, or not together what it takes apart.
    return false;
  }
}

/**
 * Whether rows gave what they give alone when one is larger than the other by far: a probe of some values, not a proof. It
 * takes many runs.
 *
 * @param form inputs of one request, for their shapes
 * @param now the clock, in milliseconds
 */
export function treatsRowsApartAtAnyScale(session: Session, form: Request, now: () => number): boolean {
  const rows = new Rows(session, form);
  const random = generator(2);
  try {
    return ([1, -1] as const).every((sign) => standScale(rows, random, sign, now));
  } catch {
    return false;
  }
}

/** Runs requests of one form together, and parts what comes of it. */
class Rows {
  readonly form: Request;
  readonly #session: Session;
  readonly #names: readonly string[];

  constructor(session: Session, form: Request) {
    this.form = form;
    this.#session = session;
    this.#names = session.outputs.map(({ name }) => name);
  }

  /** A request of this form. */
  make(input: (tensor: Tensor) => Tensor): Request {
    return this.form.map(input);
  }

  /** What each request gets; undefined where the outputs have not a row for each. */
  run(...requests: readonly Request[]): readonly (Request | undefined)[] {
    const rows = this.form[0]?.shape[0] ?? 1;
    const total = requests.length * rows;
    const outputs = this.#session.run(joinInputs(requests, total), this.#names);
    return requests.map((_, index) => sliceOutputs(outputs, { from: index * rows, rows, total }));
  }
}

/** Three requests of numbers from 0 to 1: one at random, its opposite, which differs from it in every element, and another. */
function standContrast(rows: Rows, random: Draw): boolean {
  const of = (draw: Draw) => rows.make((tensor) => narrow(tensor, tensor.shape, draw));
  const drawn: number[] = [];
  const first = of(() => {
    const value = random();
    drawn.push(value);
    return value;
  });
  let index = 0;
  const requests = [first, of(() => 1 - (drawn[index++] as number)), of(random)];
  const together = rows.run(...requests);
  return requests.every((request, index) => areClose(together[index], rows.run(request)[0]));
}

/**
 * A small row beside ever larger ones. Values that the model does not take, or that make it compute for much longer, say
 * nothing about its rows: nothing larger is tried then.
 *
 * @throws Error with the runtime's message when rows do not run together that run apart
 */
function standScale(rows: Rows, random: Draw, sign: 1 | -1, now: () => number): boolean {
  // Without zeros, which stay what they are at any scale.
  const small = rows.make((tensor) => narrow(tensor, tensor.shape, () => 1 - random() / 2));
  rows.run(small);
  const start = now();
  const smallAlone = rows.run(small)[0];
  const limitMs = (now() - start) * SLOWER + SLOWER_MS;
  const isAllWhole = rows.form.every(isWhole);
  let largestWhole = Number.POSITIVE_INFINITY;
  for (let step = 0; step < MAGNITUDES.length; ) {
    const magnitude = MAGNITUDES[step] as number;
    const width = { magnitude, whole: Math.min(magnitude, largestWhole), sign };
    const large = rows.make((tensor) => wide(tensor, tensor.shape, random, width));
    const largeAlone = runInTime(rows, large, limitMs, now);
    if (largeAlone === undefined) {
      if (isAllWhole || largestWhole < magnitude) return true;
      // An index out of range, it may be: whole numbers stay as large as they were taken, the others go on.
      largestWhole = MAGNITUDES[step - 1] ?? 1;
      continue;
    }
    const [first, second] = rows.run(small, large);
    if (!isOwn(rows, small, first, smallAlone) || !isOwn(rows, large, second, largeAlone)) return false;
    step++;
  }
  return true;
}

/**
 * Whether what a request got beside another is what it gets alone, or beside its like: a batch may be summed in another order,
 * which can make a difference of its own where numbers are large.
 */
function isOwn(rows: Rows, request: Request, got: Request | undefined, alone: Request | undefined): boolean {
  return areClose(got, alone) || areClose(got, rows.run(request, request)[0]);
}

/** What a request gets alone; undefined when the run fails or takes too long. */
function runInTime(rows: Rows, request: Request, limitMs: number, now: () => number): Request | undefined {
  try {
    for (let count = 0; count < SLOW_RUNS; count++) {
      const start = now();
      const [got] = rows.run(request);
      if (now() - start <= limitMs) return got;
    }
  } catch {
    // Not a value that it takes.
  }
  return undefined;
}

function areClose(some: Request | undefined, others: Request | undefined): boolean {
  if (some === undefined || others === undefined) return false;
  return some.every((tensor, output) => isClose(tensor, others[output] as Tensor));
}

function isClose(one: Tensor, other: Tensor): boolean {
  if (one.data.length !== other.data.length || one.shape.join() !== other.shape.join()) return false;
  let largest = 0;
  for (const value of other.data) {
    if (typeof value === "number" && Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  }
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

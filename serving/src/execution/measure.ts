import type { Session } from "../runtime/session.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { hasBatchDimension, joinInputs } from "./batch.ts";
import { treatsRowsApart, treatsRowsApartAtAnyScale } from "./rows-apart.ts";
import { zeros as zerosOf } from "./sample.ts";

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
/**
 * Once that is so for the smallest batch, so many runs, and so many bytes joined, are enough for each larger one: every run
 * leaves something behind, and an idle server keeps what it once used.
 */
const COMPILED_RUNS = 12;
const JOINED_BYTES = 64 * 1024;
/** Where one run takes longer, it is not repeated, and batches are not tried: start would take too long. */
const SLOW_MS = 200;
/** Above this, what it costs to put a batch together does not count: where one size does not pay, a larger one does not. */
const JOINING_COUNTS_BELOW_MS = 2;
/** A batch pays when it saves at least this part of the time that its rows take one by one. */
const LEAST_SAVING = 0.2;

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
  const zeros = session.inputs.map((spec) => zerosOf(spec, options.shapes?.[spec.name]));
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
    options.maxBatchSize > 1 &&
    singleMs < SLOW_MS &&
    hasBatchDimension(session.inputs, session.outputs) &&
    treatsRowsApart(session, zeros);
  const paying = tryBatches ? largestBatchThatPays(session, zeros, singleMs, options.maxBatchSize, now) : 1;
  // Last, for it takes many runs, and batches of slow models seldom pay.
  const maxBatchSize = paying > 1 && treatsRowsApartAtAnyScale(session, zeros, now) ? paying : 1;
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
    for (let size = 2; size <= most; size *= 2) {
      const requests = Array.from({ length: size }, () => zeros);
      // To put a batch together is a part of its price: for large tensors on light models, the greater part.
      const runTogether = () => {
        const start = now();
        session.run(joinInputs(requests, size * (zeros[0]?.shape[0] ?? 1)), names);
        return now() - start;
      };
      runTogether();
      const time = settled(
        runTogether,
        size === 2 ? MOST_RUNS : Math.min(COMPILED_RUNS, JOINED_BYTES / (size * bytesOf(zeros))),
      );
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

/** The median time of a few runs; of many where they are light, but no more than `most`. */
function settled(run: () => number, most = MOST_RUNS): number {
  const times: number[] = [];
  for (let total = 0; times.length < RUNS || (total < SETTLE_MS && times.length < most); ) {
    const time = run();
    times.push(time);
    total += time;
  }
  return median(times);
}

/** Of the tensors' data; that of texts is not counted. */
function bytesOf(tensors: readonly Tensor[]): number {
  return tensors.reduce((sum, { data }) => sum + (ArrayBuffer.isView(data) ? data.byteLength : 0), 0);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

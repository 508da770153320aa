/**
 * How long the fuzz tests run, and which cases.
 *
 * - `FUZZ_SEED=n` takes other cases. By default they are the same at each run.
 * - `FUZZ_SECONDS=n` goes on for so many seconds with each kind of case, beyond the cases that always run.
 * - `FUZZ_CASE=n` runs that case alone, with the seed that a failure printed beside it.
 */

/** Given when nothing else is: any number but 0. */
const SEED = 20_261_124;

export interface RunLength {
  readonly seed: number;
  readonly only: number | undefined;
  /** 0: no longer than the cases that always run. */
  readonly seconds: number;
}

export function runLength(environment: NodeJS.ProcessEnv = process.env): RunLength {
  const numberOf = (name: string, fallback: number | undefined) => {
    const text = environment[name];
    if (text === undefined || text === "") return fallback;
    if (!/^\d{1,9}$/.test(text)) throw new Error(`${name} is '${text}', expected a whole number`);
    return Number(text);
  };
  return {
    seed: numberOf("FUZZ_SEED", SEED) || SEED,
    only: numberOf("FUZZ_CASE", undefined),
    seconds: numberOf("FUZZ_SECONDS", 0) ?? 0,
  };
}

/** Milliseconds that a test may take which runs cases so many times, besides `usualMs`. */
export function timeoutFor(usualMs: number, times = 1): number {
  return usualMs + times * runLength().seconds * 1_000;
}

/** One fault often fails many cases, and no reader wants them all. */
const MOST_FAILURES = 8;

/**
 * Runs cases side by side until all that always run are done and the time is up.
 *
 * @param count cases that always run
 * @param run gets the number of a case
 * @returns how many cases ran
 * @throws Error with what the first cases that failed have thrown
 */
export async function runCases(
  count: number,
  sideBySide: number,
  run: (number: number, lane: number) => Promise<void>,
): Promise<number> {
  const { seed, only, seconds } = runLength();
  if (only !== undefined) {
    await run(only, 0);
    return 1;
  }
  const until = performance.now() + seconds * 1_000;
  let next = 0;
  const failures: string[] = [];
  const lane = async (index: number) => {
    while (failures.length < MOST_FAILURES && (next < count || performance.now() < until)) {
      const number = next++;
      try {
        await run(number, index);
      } catch (error) {
        failures.push(`seed ${seed}, case ${number}: ${(error as Error).message}`);
      }
    }
  };
  await Promise.all(Array.from({ length: sideBySide }, (_, index) => lane(index)));
  if (failures.length > 0) throw new Error(failures.join("\n\n"));
  return next;
}

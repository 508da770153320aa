import type { Bench, Pace } from "../bench.ts";
import type { Finding } from "../report/finding.ts";

/** One group of measurements. */
export interface Scenario {
  readonly name: string;
  readonly about: string;
  /** About how long it takes, in seconds, with all servers there. */
  readonly seconds: (pace: Pace) => number;
  readonly run: (bench: Bench) => Promise<Finding>;
}

/** Seconds that the start of every server takes. */
export const FLEET_SECONDS = 8;

/** Seconds of one load, with what surrounds it. */
export function loadSeconds({ seconds, warmUp }: Pace): number {
  return seconds + warmUp + 0.2;
}

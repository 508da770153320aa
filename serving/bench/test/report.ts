import type { LoadReport } from "../machine/load.ts";

/** What a load of 100 requests found, of which that many failed. */
export function reportOf(throughput: number, p99: number, lost = 0): LoadReport {
  const none = { p50: 0, p90: 0, p99: 0, max: 0 };
  return {
    requests: 100,
    succeeded: 100 - lost,
    errors: {},
    variants: [],
    seconds: 1,
    throughput,
    latency: { ...none, p99 },
    lateness: none,
    cpu: 0.1,
  };
}

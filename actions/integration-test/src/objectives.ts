import type { Verdict } from "../../shared/src/action-runtime/verdict.ts";
import type { Outcome, Sample } from "./load.ts";
import { fewestSamples, type LoadSettings } from "./settings.ts";
import { percentile } from "./statistics.ts";

/** What a load came to. */
export interface LoadFigures {
  readonly requests: number;
  readonly answered: number;
  /** How many requests failed, by how. */
  readonly failures: Readonly<Partial<Record<string, number>>>;
  /** From 0 to 1. */
  readonly errorRate: number;
  /** Milliseconds, of answered and of timed-out requests; undefined without any. */
  readonly p50: number | undefined;
  readonly p90: number | undefined;
  readonly p99: number | undefined;
  readonly max: number | undefined;
  /** 99 % of the requests were sent at most so many milliseconds late. */
  readonly delayP99: number;
}

/**
 * Latencies are those of answered requests and of those given up after the time limit: leaving the slowest out would make a
 * stalling server look quick. Refused and broken ones count as errors alone, since a quick refusal is no quick answer.
 */
export function figuresOf(samples: readonly Sample[]): LoadFigures {
  const latencies = samples
    .filter(({ outcome }) => outcome === "answered" || outcome === "timed-out")
    .map(({ latency }) => latency);
  const failed = samples.filter(({ outcome }) => outcome !== "answered");
  const failures: Partial<Record<string, number>> = {};
  for (const { outcome, status } of failed) {
    const how = describeFailure(outcome, status);
    failures[how] = (failures[how] ?? 0) + 1;
  }
  return {
    requests: samples.length,
    answered: samples.length - failed.length,
    failures,
    errorRate: samples.length === 0 ? 1 : failed.length / samples.length,
    p50: percentile(latencies, 0.5),
    p90: percentile(latencies, 0.9),
    p99: percentile(latencies, 0.99),
    max: percentile(latencies, 1),
    delayP99:
      percentile(
        samples.map(({ delay }) => delay),
        0.99,
      ) ?? 0,
  };
}

function describeFailure(outcome: Outcome, status: number | undefined): string {
  switch (outcome) {
    case "refused":
      return `HTTP ${status}`;
    case "timed-out":
      return "no answer in time";
    case "not-sent":
      return "not sent: too many unanswered";
    default:
      return "connection broken";
  }
}

export interface Objective {
  readonly name: string;
  readonly verdict: Verdict;
  readonly message: string;
}

/** Whether the figures keep the objectives. A runner that could not send in time proves nothing against the model. */
export function judgeLoad(figures: LoadFigures, { p99, errors }: LoadSettings): Objective[] {
  const objectives = [judgeErrors(figures, errors)];
  if (p99 !== undefined) objectives.push(judgeLatency(figures, p99));
  return objectives;
}

function judgeErrors({ failures, errorRate, requests }: LoadFigures, allowed: number): Objective {
  const name = `at most ${percent(allowed)} failed requests`;
  if (errorRate <= allowed) return { name, verdict: "pass", message: "" };
  const how = Object.entries(failures).map(([what, count]) => `${what} (${count} of ${requests})`);
  return { name, verdict: "fail", message: `${percent(errorRate)} of the requests failed: ${how.join(", ")}` };
}

function judgeLatency({ p99, answered, delayP99 }: LoadFigures, limit: number): Objective {
  const name = `p99 at most ${limit} ms`;
  if (p99 === undefined || answered < fewestSamples)
    return { name, verdict: "inconclusive", message: `${answered} answers are too few for a 99th percentile` };
  if (p99 <= limit) return { name, verdict: "pass", message: "" };
  const message = `p99 was ${p99.toFixed(1)} ms, above ${limit} ms`;
  if (delayP99 > limit / 2)
    return {
      name,
      verdict: "inconclusive",
      message: `${message}, but the runner itself sent requests up to ${delayP99.toFixed(1)} ms late`,
    };
  return { name, verdict: "fail", message };
}

export function percent(share: number): string {
  return `${Number((share * 100).toFixed(3))}%`;
}

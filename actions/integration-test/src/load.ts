import type { Clock } from "../../shared/src/action-runtime/clock.ts";

export interface LoadPlan {
  /** Requests a second. */
  readonly rate: number;
  readonly durationMilliseconds: number;
  /** A request that takes longer is given up and counted as failed. */
  readonly timeoutMilliseconds: number;
  /** Requests under way at once, at most; one that would be one too many is not sent, and counted as failed. */
  readonly mostOutstanding: number;
}

export type Outcome = "answered" | "refused" | "broken" | "timed-out" | "not-sent";

/** One request of the load. */
export interface Sample {
  readonly outcome: Outcome;
  /** HTTP status, where there was an answer. */
  readonly status?: number;
  /** Milliseconds from the moment it should have been sent, which a late sender does not shorten. */
  readonly latency: number;
  /** Milliseconds that it was sent late. */
  readonly delay: number;
}

/** Sends the request of a number; resolves with the HTTP status after the whole answer, rejects when there is none. */
export type Send = (index: number, signal: AbortSignal) => Promise<number>;

/**
 * An open-loop load: requests leave at a fixed rate, whether answers come or not. A server that stalls is met by all the
 * requests that fall into the stall, where a loop that waits for each answer would send, and count, only one
 * ("coordinated omission").
 */
export async function runLoad(
  plan: LoadPlan,
  send: Send,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly Sample[]> {
  const requests = Math.max(1, Math.floor((plan.rate * plan.durationMilliseconds) / 1_000));
  const start = clock.now();
  const samples: Sample[] = [];
  const underWay = new Set<Promise<void>>();
  for (let index = 0; index < requests; index += 1) {
    const intended = start + (index * 1_000) / plan.rate;
    const early = intended - clock.now();
    if (early > 0) await clock.sleep(early, signal);
    signal.throwIfAborted();
    const delay = Math.max(0, clock.now() - intended);
    if (underWay.size >= plan.mostOutstanding) {
      samples.push({ outcome: "not-sent", latency: delay, delay });
      continue;
    }
    const one: Promise<void> = sendOne(index, send, plan.timeoutMilliseconds, signal).then(({ outcome, status }) => {
      const latency = clock.now() - intended;
      samples.push({ outcome, latency, delay, ...(status === undefined ? {} : { status }) });
      underWay.delete(one);
    });
    underWay.add(one);
  }
  await Promise.all(underWay);
  signal.throwIfAborted();
  return samples;
}

async function sendOne(
  index: number,
  send: Send,
  timeoutMilliseconds: number,
  signal: AbortSignal,
): Promise<{ outcome: Outcome; status?: number }> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new Error("no answer in time")), timeoutMilliseconds);
  try {
    const status = await send(index, AbortSignal.any([limit.signal, signal]));
    return { outcome: status >= 200 && status < 300 ? "answered" : "refused", status };
  } catch {
    return { outcome: limit.signal.aborted ? "timed-out" : "broken" };
  } finally {
    clearTimeout(timer);
  }
}

import { describe, expect, it } from "vitest";
import { type LoadPlan, runLoad, type Sample, type Send } from "../src/load.ts";
import { figuresOf, judgeLoad } from "../src/objectives.ts";
import { percentile } from "../src/statistics.ts";

/** A clock on which sleeping is the only thing that takes time; what is due meanwhile happens in between, in order. */
class TestClock {
  time = 0;
  #due: { at: number; run: () => void }[] = [];
  now = () => this.time;

  async sleep(milliseconds: number) {
    await settle();
    await this.advance(milliseconds);
  }

  after(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.#due.push({ at: this.time + milliseconds, run: resolve }));
  }

  async advance(milliseconds: number) {
    const end = this.time + milliseconds;
    for (;;) {
      const next = this.#due.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#due = this.#due.filter((one) => one !== next);
      this.time = next.at;
      next.run();
      await settle();
    }
    this.time = end;
    await settle();
  }
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
const plan = (more: Partial<LoadPlan> = {}): LoadPlan => ({
  rate: 10,
  durationMilliseconds: 1_000,
  timeoutMilliseconds: 60_000,
  mostOutstanding: 100,
  ...more,
});
const never = new AbortController().signal;

async function load(
  send: (index: number, clock: TestClock, signal: AbortSignal) => Promise<number>,
  more: Partial<LoadPlan> = {},
  afterwards = 0,
) {
  const clock = new TestClock();
  const samples = runLoad(plan(more), (index, signal) => send(index, clock, signal), clock, never);
  if (afterwards > 0) {
    for (let turn = 0; turn < 60; turn += 1) await settle();
    await clock.advance(afterwards);
  }
  return await samples;
}

describe("runLoad", () => {
  it("sends at the fixed rate", async () => {
    const sent: number[] = [];
    await load(async (_, clock) => {
      sent.push(clock.now());
      return 200;
    });
    expect(sent).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
  });

  it("keeps sending while a server stalls, and counts the stall for every request that falls into it", async () => {
    const samples = await load(async (_, clock) => {
      const stalled = Math.max(0, 500 - clock.now());
      if (stalled > 0) await clock.after(stalled);
      return 200;
    });
    expect(samples.map(({ latency }) => Math.round(latency))).toEqual([500, 400, 300, 200, 100, 0, 0, 0, 0, 0]);
  });

  it("counts latency from the moment a request should have left, when the sender itself is late", async () => {
    const clock = new TestClock();
    const send: Send = async (index) => {
      if (index === 0) clock.time += 250;
      return 200;
    };
    const samples = await runLoad(plan(), send, clock, never);
    expect(samples.slice(0, 4).map(({ latency, delay }) => [latency, delay])).toEqual([
      [250, 0],
      [150, 150],
      [50, 50],
      [0, 0],
    ]);
  });

  it("counts a request that would be one too many as not sent, instead of waiting", async () => {
    const samples = await load((_, clock) => clock.after(10_000).then(() => 200), { mostOutstanding: 3 }, 10_000);
    expect(samples.filter(({ outcome }) => outcome === "not-sent")).toHaveLength(7);
    expect(figuresOf(samples)).toMatchObject({ requests: 10, answered: 3, errorRate: 0.7 });
  });

  it("tells refused, broken and timed-out requests apart", async () => {
    const clock = { now: () => performance.now(), sleep: (ms: number) => new Promise<void>((r) => setTimeout(r, ms)) };
    const send: Send = (index, signal) => {
      if (index === 0) return Promise.resolve(503);
      if (index === 1) return Promise.reject(new Error("ECONNRESET"));
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    };
    const short = plan({ rate: 100, durationMilliseconds: 30, timeoutMilliseconds: 20 });
    const samples = await runLoad(short, send, clock, never);
    expect(figuresOf(samples).failures).toEqual({ "HTTP 503": 1, "connection broken": 1, "no answer in time": 1 });
  });

  it("ends when the job is cancelled", async () => {
    const cancel = new AbortController();
    const clock = new TestClock();
    const send: Send = async (index) => {
      if (index === 2) cancel.abort(new Error("cancelled"));
      return 200;
    };
    await expect(runLoad(plan(), send, clock, cancel.signal)).rejects.toThrow("cancelled");
  });
});

describe("percentile", () => {
  it("is the nearest rank: one of the values, whatever their order", () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect([0.5, 0.99, 1].map((share) => percentile(values, share))).toEqual([50, 99, 100]);
    expect(percentile([3], 0.99)).toBe(3);
    expect(percentile([], 0.5)).toBeUndefined();
  });
});

describe("judgeLoad", () => {
  const answered = (latency: number, delay = 0): Sample => ({ outcome: "answered", status: 200, latency, delay });
  const many = (count: number, latency: number, delay = 0) =>
    Array.from({ length: count }, () => answered(latency, delay));
  const settings = { rate: 10, durationMilliseconds: 10_000, p99: 100, errors: 0.01 };
  const judge = (samples: Sample[]) => judgeLoad(figuresOf(samples), settings).map(({ verdict }) => verdict);

  it("passes within both objectives, the limits included", () => {
    const refused: Sample = { outcome: "refused", status: 500, latency: 1, delay: 0 };
    expect(judge([...many(99, 100), refused])).toEqual(["pass", "inconclusive"]);
    expect(judge([...many(198, 100), refused, refused])).toEqual(["pass", "pass"]);
  });

  it("fails above the limit of errors, and says of which kind they were", () => {
    const broken: Sample = { outcome: "broken", latency: 1, delay: 0 };
    const [errors] = judgeLoad(figuresOf([...many(100, 1), broken, broken]), settings);
    expect(errors).toEqual({
      name: "at most 1% failed requests",
      verdict: "fail",
      message: "1.961% of the requests failed: connection broken (2 of 102)",
    });
  });

  it("fails when more than 1 % of the requests are slower than the limit", () => {
    expect(judge([...many(99, 1), answered(500)])).toEqual(["pass", "pass"]);
    expect(judge([...many(98, 1), answered(500), answered(500)])).toEqual(["pass", "fail"]);
  });

  it("does not let requests that were given up make a server look quick", () => {
    const lost: Sample = { outcome: "timed-out", latency: 2_000, delay: 0 };
    expect(figuresOf([...many(98, 1), lost, lost]).p99).toBe(2_000);
  });

  it("finds too few answers inconclusive, and so a runner that was late itself", () => {
    expect(judge(many(99, 1))).toEqual(["pass", "inconclusive"]);
    expect(judge(many(200, 300, 60))).toEqual(["pass", "inconclusive"]);
    expect(judge(many(200, 300, 40))).toEqual(["pass", "fail"]);
  });
});

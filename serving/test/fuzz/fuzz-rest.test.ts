import { expect, onTestFinished, test } from "vitest";
import { type Subject, serve } from "../conformance/subject.ts";
import { temporaryFolder } from "../server-process.ts";
import { Dice } from "./dice.ts";
import { fuzzRepository } from "./fuzz-models.ts";
import { restCase, validCase } from "./rest-cases.ts";
import { RestLane } from "./rest-lane.ts";
import { runCases, runLength, timeoutFor } from "./run-length.ts";
import { ENVIRONMENT, LANES, ServerHealth } from "./server-health.ts";
import { startThreads } from "./warm-up.ts";

/** Cases that always run: about 30 s. */
const CASES = 10_000;
/** Requests until a server has all its code and memory. */
const WARM = 1_500;
/** Longest time that a good request may take beside the bad ones, on a machine that does other things too. */
const LATE_MS = 5_000;

function laneTo({ rest }: Subject): RestLane {
  const lane = new RestLane(Number(rest.split(":")[1]));
  onTestFinished(() => lane.close());
  return lane;
}

test(
  "whatever is sent, REST answers what is valid rightly, refuses the rest in words, and serves on within its memory",
  async () => {
    const { seed } = runLength();
    const subject = await serve(temporaryFolder(fuzzRepository()), ENVIRONMENT);
    const lanes = Array.from({ length: LANES - 1 }, () => laneTo(subject));
    const witness = laneTo(subject);
    const good = (number: number, lane: RestLane) => {
      const name = `seed ${seed}, good request ${number}: `;
      return lane.run(name, validCase(new Dice(seed ^ 0x5eed, number)));
    };
    await startThreads(subject.rest);
    for (let number = 0; number < WARM; number++) await good(number, witness);
    const health = new ServerHealth(subject.server);

    let isOver = false;
    let slowest = 0;
    const witnessed = (async () => {
      for (let number = WARM; !isOver; number++) {
        const before = performance.now();
        await good(number, witness);
        slowest = Math.max(slowest, performance.now() - before);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    })();
    try {
      const ran = runCases(CASES, lanes.length, async (number, index) => {
        const lane = lanes[index] as RestLane;
        await lane.run("", restCase(new Dice(seed, number)));
        // On the same connection, where it is kept.
        if (number % 4 === 0) await good(number, lane);
        if (number % 2_000 === 0) health.check();
      });
      await Promise.race([ran, witnessed]);
      const cases = await ran;
      isOver = true;
      await witnessed;
      console.log(`${cases} cases; ${health.summary}; slowest good request ${Math.round(slowest)} ms`);
    } finally {
      isOver = true;
      await witnessed.catch(() => undefined);
    }
    health.check();
    expect(slowest).toBeLessThan(LATE_MS);
    await good(0, laneTo(subject));
  },
  timeoutFor(180_000),
);

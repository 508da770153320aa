import { expect, test } from "vitest";
import { addressOf, runModule } from "./module-process.ts";

/** The nice values of a new process's threads, by their name, once it has lowered its helpers' for so many processors. */
function priorities(processors: number): Record<string, number[]> {
  const { stdout, stderr } = runModule(`
    const { readdirSync, readFileSync } = await import("node:fs");
    const { getPriority } = await import("node:os");
    const before = getPriority();
    (await import(${addressOf("lifecycle/helper-threads.ts")})).lowerHelperThreads(${processors});
    const found = {};
    for (const thread of readdirSync("/proc/self/task")) {
      const name = Number(thread) === process.pid ? "main" : readFileSync("/proc/self/task/" + thread + "/comm", "utf8").trim();
      (found[name] ??= []).push(getPriority(Number(thread)) - before);
    }
    console.log(JSON.stringify(found));`);
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

test("on one processor V8's helpers give way to the thread that answers, and nothing else does", () => {
  const { V8Worker, ...others } = priorities(1);
  expect(new Set(V8Worker)).toEqual(new Set([10]));
  expect(new Set(Object.values(others).flat())).toEqual(new Set([0]));
});

test("on several they keep their priority", () => {
  expect(new Set(priorities(2).V8Worker)).toEqual(new Set([0]));
});

import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { curlLine, exampleDigit } from "../src/endpoint.ts";
import { allPassed, stageTable } from "../src/report.ts";
import type { Stage } from "../src/stages.ts";

const stages: Stage[] = [
  { name: "plan", verdict: "pass", seconds: 1.23, reason: "the descriptor of digits has 6 of 6 stages" },
  { name: "build and scan", verdict: "fail", seconds: 12, reason: `critical vulnerability ${"word ".repeat(30)}end` },
  { name: "deploy staging", verdict: "not reached", seconds: 0, reason: "build and scan stopped the pipeline" },
];

describe("stageTable", () => {
  it("fits the terminal and keeps every word of a long reason", () => {
    const table = stageTable(stages, 100);
    expect(Math.max(...table.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(table.match(/word/g)).toHaveLength(30);
  });

  it("gives no time to a stage that did not run", () => {
    expect(stageTable(stages, 100)).toMatch(/deploy staging\s+not reached\s+build and scan stopped/);
  });
});

describe("allPassed", () => {
  it("takes a skipped stage, and no other one, for passed", () => {
    const [plan] = stages as [Stage];
    expect(allPassed([plan, { ...plan, verdict: "skipped" }])).toBe(true);
    for (const verdict of ["fail", "inconclusive", "not reached"] as const)
      expect(allPassed([plan, { ...plan, verdict }])).toBe(false);
  });
});

describe("curlLine", () => {
  it("is one shell command whose body a shell leaves as it is", () => {
    const [, , , body] = JSON.parse(
      execFileSync(
        "sh",
        [
          "-c",
          curlLine("http://h").replace(/^curl/, `${process.execPath} -p 'JSON.stringify(process.argv.slice(1))' --`),
        ],
        {
          encoding: "utf8",
        },
      ),
    ) as string[];
    const [input] = JSON.parse(body ?? "").inputs;
    expect(input.data).toEqual(exampleDigit.shades.flat());
    expect(input.shape).toEqual([1, 64]);
  });
});

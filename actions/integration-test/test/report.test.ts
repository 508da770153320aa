import { describe, expect, it } from "vitest";
import { type Check, overall } from "../src/check.ts";
import { junitXml } from "../src/junit.ts";
import { summarise } from "../src/report.ts";

const check = (more: Partial<Check> = {}): Check => ({
  suite: "golden cases",
  name: "digit 3",
  verdict: "pass",
  message: "",
  seconds: 0.01,
  ...more,
});
const fail = check({ verdict: "fail", message: "output 'y' at [0] is 1, expected 2" });
const unclear = check({ suite: "load", name: "p99 at most 10 ms", verdict: "inconclusive", message: "too few" });

describe("overall", () => {
  it("lets a failure decide before what is unclear, and that before a pass", () => {
    expect(overall([check(), unclear, fail])).toBe("fail");
    expect(overall([check(), unclear])).toBe("inconclusive");
    expect(overall([check()])).toBe("pass");
  });
});

describe("summarise", () => {
  it("names the first failure, and how many more there are", () => {
    expect(summarise([check(), unclear, fail, fail], undefined).reason).toBe(
      "golden case 'digit 3': output 'y' at [0] is 1, expected 2 (and 1 more)",
    );
    expect(summarise([check(), unclear], undefined).reason).toBe("load: p99 at most 10 ms: too few");
  });

  it("says what passed", () => {
    expect(summarise([check(), check({ suite: "conformance" })], undefined)).toEqual({
      reason: "1 of 1 golden cases agree",
    });
  });
});

describe("junitXml", () => {
  it("escapes what names and messages hold, and leaves out what XML forbids", () => {
    const xml = junitXml("t", [check({ name: `<a b="c">&'`, verdict: "fail", message: "x\u0000\u001b[31m\ny\ud800" })]);
    expect(xml).toContain('name="&lt;a b=&quot;c&quot;&gt;&amp;&apos;"');
    expect(xml).toContain('<failure message="x[31m&#10;y\ufffd"/>');
  });

  it("counts by suite and in all", () => {
    const xml = junitXml("t", [check(), fail, unclear]);
    expect(xml).toContain('<testsuites name="t" tests="3" failures="1" errors="1" time="0.030">');
    expect(xml).toContain('<testsuite name="golden cases" tests="2" failures="1" errors="0" time="0.020">');
    expect(xml).toContain('<error message="too few"/>');
    expect(xml).not.toContain("readiness");
  });
});

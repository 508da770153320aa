import { expect, test } from "vitest";
import { clock, duration } from "../../src/progress/duration.ts";
import { cancelled, explain, isCancelled, LabError } from "../../src/progress/error.ts";

test("an error is explained with its remedy, its code and its cause", () => {
  const error = new LabError("NO_DISK", "the disk is full", { remedy: "free some space", cause: new Error("ENOSPC") });
  expect(explain(error)).toBe("error: the disk is full\n  remedy: free some space\n  code: NO_DISK\n  cause: ENOSPC");
});

test("an unexpected error is shown with its stack", () => {
  expect(explain(new TypeError("oops"))).toMatch(/TypeError: oops\n\s+at /);
});

test("a cancellation is told from a failure", () => {
  expect(isCancelled(cancelled("x"))).toBe(true);
  expect(isCancelled(new Error("x"))).toBe(false);
});

test.each([
  [40, "0.0 s"],
  [9_400, "9.4 s"],
  [9_960, "10 s"],
  [59_600, "1 min 00 s"],
  [245_000, "4 min 05 s"],
])("%d ms is %s", (milliseconds, text) => {
  expect(duration(milliseconds)).toBe(text);
});

test("a clock counts minutes and seconds", () => {
  expect([clock(7_900), clock(750_000)]).toEqual(["0:07", "12:30"]);
});

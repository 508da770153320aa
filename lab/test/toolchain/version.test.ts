import { expect, test } from "vitest";
import { atLeast, newest } from "../../src/toolchain/version.ts";

test.each([
  ["1.26.8", "1.25.8", true],
  ["1.25", "1.25.0", true],
  ["1.9", "1.10", false],
  ["1.26rc1", "1.25.8", true],
  ["3.10.0", "3.10", true],
  ["3.9.18", "3.10", false],
])("%s at least %s: %s", (version, minimum, result) => {
  expect(atLeast(version, minimum)).toBe(result);
});

test("the newest of several versions", () => {
  expect(newest(["1.24.0", "1.25.8", "1.25"])).toBe("1.25.8");
  expect(newest([])).toBeUndefined();
});

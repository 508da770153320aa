import { expect, it } from "vitest";
import { summarise } from "../../src/bench/sample.ts";

it("takes the middle value, or the mean of the two middle ones", () => {
  expect(summarise([9, 1, 5])).toEqual({ median: 5, min: 1, max: 9 });
  expect(summarise([10, 1, 2, 4])).toEqual({ median: 3, min: 1, max: 10 });
});

it("refuses to sum up nothing", () => {
  expect(() => summarise([])).toThrow(RangeError);
});

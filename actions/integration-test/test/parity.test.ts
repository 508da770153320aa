import { describe, expect, it } from "vitest";
import { parseExact, stringifyExact } from "../src/exact-json.ts";
import { parseGoldenCases } from "../src/golden.ts";
import { compareOutputs } from "../src/parity.ts";
import type { Tensor } from "../src/tensor.ts";

const tolerance = { rtol: 1e-3, atol: 1e-4 };
const tensor = (data: unknown[], more: Partial<Tensor> = {}): Tensor => ({
  name: "y",
  datatype: "FP32",
  shape: [data.length],
  data,
  ...more,
});
const compare = (expected: Tensor, ...outputs: unknown[]) => compareOutputs([expected], { outputs }, tolerance);

describe("compareOutputs", () => {
  it("takes |actual - expected| <= atol + rtol * |expected|, the limit included, and not its mirror", () => {
    expect(compare(tensor([100]), tensor([100.1]))).toBeUndefined();
    expect(compare(tensor([100]), tensor([100.1002]))).toBe("output 'y' at [0] is 100.1002, expected 100 ± 0.1");
    expect(compare(tensor([0]), tensor([0.0001]))).toBeUndefined();
    expect(compare(tensor([0]), tensor([-0.00011]))).toContain("is -0.00011, expected 0 ± 0.0001");
    const loose = { rtol: 0.5, atol: 0 };
    expect(compareOutputs([tensor([1])], { outputs: [tensor([2])] }, loose)).toContain("expected 1 ± 0.5");
    expect(compareOutputs([tensor([2])], { outputs: [tensor([1])] }, loose)).toBeUndefined();
  });

  it("names the place of the first value that differs, and how many do", () => {
    const expected = tensor([1, 2, 3, 4, 5, 6], { shape: [2, 3] });
    const got = tensor([1, 2, 3, 4, 9, 9], { shape: [2, 3] });
    expect(compare(expected, got)).toMatch(/^output 'y' at \[1, 1\] is 9, expected 5 ± \S+; 2 of 6 values differ$/);
  });

  it("wants integers equal, above 2^53 too", () => {
    const big = (digits: string) => parseExact(`[${digits}]`) as unknown[];
    const int = (data: unknown[]) => tensor(data, { datatype: "INT64" });
    expect(compare(int(big("9007199254740993")), int(big("9007199254740993")))).toBeUndefined();
    expect(compare(int(big("9007199254740993")), int(big("9007199254740992")))).toContain("expected 9007199254740993");
    expect(compare(int([3]), int([3.0001]))).toContain("is 3.0001, expected 3");
  });

  it("lets NaN agree with NaN alone, however a server writes it", () => {
    const answer = parseExact(
      '{"outputs": [{"name": "y", "datatype": "FP32", "shape": [3], "data": [NaN, null, -Infinity]}]}',
    );
    expect(compareOutputs([tensor([null, "NaN", "-Infinity"])], answer, tolerance)).toBeUndefined();
    expect(compare(tensor([1]), tensor([null]))).toContain("is null, expected 1");
    expect(compare(tensor([null]), tensor([1]))).toContain("is 1, expected null");
    expect(compare(tensor(["Infinity"]), tensor([1e38]))).toContain("expected 'Infinity'");
  });

  it("takes booleans as words or as 0 and 1, and wants texts equal", () => {
    expect(compare(tensor([true, 0], { datatype: "BOOL" }), tensor([1, false], { datatype: "BOOL" }))).toBeUndefined();
    expect(compare(tensor(["cat"], { datatype: "BYTES" }), tensor(["dog"], { datatype: "BYTES" }))).toBe(
      "output 'y' at [0] is 'dog', expected 'cat'",
    );
  });

  it("flattens nested data", () => {
    expect(
      compare(tensor([1, 2], { shape: [2, 1] }), { ...tensor([]), shape: [2, 1], data: [[1], [2]] }),
    ).toBeUndefined();
  });

  it.each([
    [{ outputs: 1 }, "the answer has no 'outputs'"],
    [{ outputs: [null, tensor([1], { name: "x" })] }, "output 'y' is missing"],
    [{ outputs: [tensor([1], { datatype: "FP64" })] }, "output 'y' is FP64, expected FP32"],
    [{ outputs: [tensor([1], { shape: [1, 1] })] }, "output 'y' has shape [1, 1], expected [1]"],
    [{ outputs: [tensor([], { shape: [1] })] }, "output 'y' has 0 values, expected 1"],
    [{ outputs: [{ name: "y" }] }, "output 'y' is not a tensor: y has no datatype"],
    [{ outputs: [tensor([{}])] }, "output 'y' at [0] is [object Object], expected 1 ± 0.0011"],
    [null, "the answer has no 'outputs'"],
  ])("refuses %j", (answer, why) => expect(compareOutputs([tensor([1])], answer, tolerance)).toBe(why));
});

describe("exact JSON", () => {
  it("keeps integers above 2^53 on the way in and out", () => {
    const text = '{"a":[9007199254740993,-18446744073709551615,1.5,9007199254740991]}';
    expect(stringifyExact(parseExact(text))).toBe(text);
  });

  it("does not touch words inside texts", () => {
    expect(parseExact('{"a": [NaN], "b": "x, NaN, y"}')).toEqual({ a: ["NaN"], b: "x, NaN, y" });
    expect(() => parseExact("{nonsense}")).toThrow(SyntaxError);
  });
});

describe("parseGoldenCases", () => {
  const file = (cases: unknown, more: object = {}) => JSON.stringify({ version: 1, model: "m", cases, ...more });
  const one = { name: "a", request: { inputs: [{}] }, expected: { outputs: [tensor([1])] } };

  it("reads cases", () => {
    expect(parseGoldenCases(file([one]), "g.json")).toEqual([
      { name: "a", request: one.request, expected: [tensor([1])] },
    ]);
  });

  it.each([
    ["{", "it is not JSON"],
    [file([]), "cases: there are no cases"],
    [file([one], { version: 2 }), "version:"],
    [file([one, one]), "two cases are named 'a'"],
    [
      file([{ ...one, expected: { outputs: [{ name: "y", datatype: "FP32", shape: [1] }] } }]),
      "cases.0.expected.outputs.0: y has no data",
    ],
  ])("refuses %s", (text, why) => {
    expect(() => parseGoldenCases(text, "g.json")).toThrow(`the golden cases in g.json cannot be used: ${why}`);
  });
});

import { afterAll, beforeAll, expect, test } from "vitest";
import { formatNumber, indexOf, lookOf, readAnswer, summaryOf } from "../src/console/browser/answer-data.ts";
import { curlText, LONGEST_INLINE_BODY, requestText } from "../src/console/browser/request-text.ts";
import { FILLS, sampleData } from "../src/console/browser/sample-data.ts";
import { DATATYPES } from "../src/tensor/tensor.ts";
import { identityModel } from "./onnx-file.ts";
import { ServerProcess } from "./server-process.ts";

let server: ServerProcess;

beforeAll(async () => {
  const values = DATATYPES.map((type) => ({ name: type, type, shape: ["n", 3, "m"] }));
  server = await ServerProcess.serving({ "types/1/model.onnx": identityModel(values) });
});

afterAll(() => server.stop());

test.each(FILLS)("the server takes %s values of every datatype", async (fill) => {
  const shape = [2, 3, 50];
  const inputs = DATATYPES.map((datatype) => {
    return { name: datatype, datatype, shape, data: sampleData(datatype, shape, fill, Math.random) };
  });
  const response = await fetch(`${server.url}/v2/models/types/infer`, {
    method: "POST",
    body: requestText(inputs, ["INT64_out", "FP32_out"]),
  });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  const { model, version, outputs } = readAnswer(text);
  expect({ model, version }).toEqual({ model: "types", version: "1" });
  expect(outputs.map(({ name, data }) => ({ name, size: data.length }))).toEqual([
    { name: "INT64_out", size: 300 },
    { name: "FP32_out", size: 300 },
  ]);
});

test("makes values that are nested as the shape says, a row a line", () => {
  expect(sampleData("INT32", [2, 2], "counting", Math.random)).toBe("[\n  [0, 1],\n  [2, 3]\n]");
  expect(sampleData("FP32", [1, 2], "random", () => 0.25)).toBe("[[0.2500, 0.2500]]");
  expect(sampleData("FP32", [], "ones", Math.random)).toBe("[1]");
  expect(JSON.parse(sampleData("FP32", [2, 0], "zeros", Math.random))).toEqual([[], []]);
  expect(JSON.parse(sampleData("FP32", [0, 2], "zeros", Math.random))).toEqual([]);
});

test("keeps what a person wrote, digit by digit", () => {
  const input = { name: "x", datatype: "INT64", shape: [1], data: "[9007199254740993]" };
  expect(requestText([input], [])).toContain("[9007199254740993]");
});

test("reads 64-bit whole numbers and non-finite numbers as they were written", () => {
  const data = (list: string) =>
    `{"model_name":"m","outputs":[{"name":"y","datatype":"INT64","shape":[1],"data":${list}}]}`;
  expect(readAnswer(data("[[9007199254740993], [1]]")).outputs[0]?.data).toEqual([9_007_199_254_740_993n, 1]);
  expect(readAnswer(data('["NaN", "-Infinity", 1.5]')).outputs[0]?.data).toEqual(["NaN", "-Infinity", 1.5]);
});

test("sends a long body from a file, and never shows a token", () => {
  expect(curlText("http://h/infer", "x".repeat(LONGEST_INLINE_BODY + 1), true)).toBe(
    [
      "curl 'http://h/infer' \\",
      "  --header 'Content-Type: application/json' \\",
      '  --header "Authorization: Bearer $TOKEN" \\',
      "  --data-binary @request.json",
    ].join("\n"),
  );
});

test("takes a batch of one for what is in it", () => {
  expect(lookOf([1, 10], 10)).toEqual({ kind: "list", size: 10 });
  expect(lookOf([1, 1], 1)).toEqual({ kind: "scalar" });
  expect(lookOf([], 1)).toEqual({ kind: "scalar" });
  expect(lookOf([1, 0], 0)).toEqual({ kind: "empty" });
  expect(lookOf([10, 1], 10)).toEqual({ kind: "table", rows: 10, columns: 1, slice: undefined });
  expect(lookOf([1, 3, 4, 5], 60)).toEqual({ kind: "table", rows: 4, columns: 5, slice: "[0, 0, :, :]" });
});

test("sums up what is finite, and says where the greatest is", () => {
  expect(summaryOf([1, Number.NaN, -3, 8, Number.POSITIVE_INFINITY])).toEqual({
    least: -3,
    mean: 2,
    greatest: 8,
    at: 3,
  });
  expect(summaryOf([Number.NaN])).toBeUndefined();
});

test("says where a number is by the indices of its dimensions", () => {
  expect(indexOf(7, [1, 10])).toBe("7");
  expect(indexOf(15, [5, 10])).toBe("[1, 5]");
  expect(indexOf(23, [1, 2, 3, 4])).toBe("[1, 2, 3]");
});

test("shortens numbers and leaves whole ones whole", () => {
  const shown = [0.123456, 0.00012345, -1.5, 12345678.9, 123_456_789, 2n ** 63n, "NaN", true].map(formatNumber);
  expect(shown).toEqual(["0.1235", "1.23e-4", "-1.5", "1.23e+7", "123456789", "9223372036854775808", "NaN", "true"]);
});

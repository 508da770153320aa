import { expect, test } from "vitest";
import { parseInferRequest } from "../src/protocol/infer.ts";
import { decodeBody } from "../src/protocol/json.ts";
import type { Datatype } from "../src/protocol/tensor.ts";

const signature = {
  inputs: [
    { name: "x", datatype: "FP32", shape: [-1, 2] },
    { name: "flags", datatype: "BOOL", shape: [2] },
  ],
  outputs: [{ name: "y", datatype: "FP32", shape: [-1] }],
} as const;

const x = { name: "x", datatype: "FP32", shape: [2, 2], data: [1, 2, 3, 4] };
const flags = { name: "flags", datatype: "BOOL", shape: [2], data: [true, false] };

function refusal(body: unknown): string {
  return messageOf(() => parseInferRequest(typeof body === "string" ? body : JSON.stringify(body), signature));
}

function messageOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toMatchObject({ name: "ProtocolError", status: 400 });
    return (error as Error).message;
  }
  throw new Error("it was accepted");
}

test("names the input whose data does not fit its shape", () => {
  expect(refusal({ inputs: [{ ...x, data: [1, 2, 3] }, flags] })).toBe(
    "input 'x': 'data' holds 3 elements, but shape [2,2] needs 4",
  );
  expect(refusal({ inputs: [{ ...x, data: [[1, 2], [3]] }, flags] })).toBe(
    "input 'x': 'data' has 1 elements in dimension 1, but shape [2,2] needs 2",
  );
  expect(refusal({ inputs: [{ ...x, data: [[1, 2]] }, flags] })).toContain("has 1 elements in dimension 0");
  expect(refusal({ inputs: [{ ...x, data: [[1, 2], 3] }, flags] })).toContain("neither flat nor nested");
  expect(
    refusal({
      inputs: [
        {
          ...x,
          data: [
            [[1], [2]],
            [[3], [4]],
          ],
        },
        flags,
      ],
    }),
  ).toContain("is an array");
});

test("names the shape that the model needs", () => {
  expect(refusal({ inputs: [{ ...x, shape: [4] }, flags] })).toBe("input 'x': 'shape' is [4], the model needs [-1,2]");
  expect(refusal({ inputs: [{ ...x, shape: [1, 4] }, flags] })).toContain("the model needs [-1,2]");
  for (const shape of [
    [-1, 2],
    [1.5, 2],
    ["2", 2],
    [null, 2],
    [1e300, 2],
  ]) {
    expect(refusal({ inputs: [{ ...x, shape }, flags] })).toContain("whole numbers, 0 or more");
  }
  expect(refusal({ inputs: [{ ...x, shape: undefined }, flags] })).toContain("'shape' is missing");
});

test("does not allocate what a huge shape claims", () => {
  expect(refusal({ inputs: [{ ...x, shape: [2 ** 52, 2] }, flags] })).toContain("holds 4 elements");
  const open = { inputs: [{ name: "x", datatype: "FP32", shape: [] }], outputs: [] } as const;
  const body = { inputs: [{ name: "x", datatype: "FP32", shape: [2, 2 ** 50], data: [[1], [2]] }] };
  expect(messageOf(() => parseInferRequest(JSON.stringify(body), open))).toContain("has 1 elements in dimension 1");
  const deep = { inputs: [{ name: "x", datatype: "FP32", shape: new Array(100_000).fill(1), data: [1] }] };
  expect(messageOf(() => parseInferRequest(JSON.stringify(deep), open))).toContain("100000 dimensions");
});

test("names a missing, unknown or repeated input and lists the model's own", () => {
  const own = "its inputs: x FP32[-1,2], flags BOOL[2]";
  expect(refusal({ inputs: [x] })).toBe(`input 'flags' is missing; ${own}`);
  expect(refusal({ inputs: [x, flags, { ...x, name: "z" }] })).toBe(`the model has no input 'z'; ${own}`);
  expect(refusal({ inputs: [x, flags, x] })).toBe("input 'x' is there twice");
  expect(refusal({ inputs: [x, flags], outputs: [{ name: "z" }] })).toBe(
    "the model has no output 'z'; its outputs: y FP32[-1]",
  );
  expect(refusal({ inputs: [x, flags], outputs: [{ name: "y" }, { name: "y" }] })).toBe("output 'y' is there twice");
});

test("quotes no more of a name than a log line should hold", () => {
  expect(refusal({ inputs: [{ ...x, name: "n".repeat(1_000_000) }] }).length).toBeLessThan(250);
});

test("refuses another datatype than the model's", () => {
  expect(refusal({ inputs: [{ ...x, datatype: "FP64" }, flags] })).toBe(
    "input 'x': 'datatype' is FP64, the model needs FP32",
  );
  expect(refusal({ inputs: [{ ...x, datatype: "float" }, flags] })).toContain(
    "'datatype' is none of this server's, the model needs FP32",
  );
  expect(refusal({ inputs: [{ ...x, datatype: undefined }, flags] })).toContain("'datatype' is missing");
});

test.each<[Datatype, unknown, string]>([
  ["FP32", "1", "is a string"],
  ["FP32", null, "is null"],
  ["FP32", true, "is a boolean"],
  ["FP32", 1e39, "too large for FP32"],
  ["BOOL", 1, "true or false"],
  ["INT8", 128, "from -128 to 127"],
  ["UINT8", -1, "from 0 to 255"],
  ["INT32", 1.5, "a whole number"],
  ["INT64", 0.5, "a whole number"],
  ["INT64", "1", "is a string"],
  ["UINT64", -1, "from 0 to 18446744073709551615"],
  ["BYTES", 1, "needs a string"],
  ["BYTES", "a\0b", "NUL"],
])("refuses what %s cannot hold: %j", (datatype, element, reason) => {
  const one = { inputs: [{ name: "v", datatype, shape: [1] }], outputs: [] };
  const body = { inputs: [{ name: "v", datatype, shape: [1], data: [element] }] };
  const message = messageOf(() => parseInferRequest(JSON.stringify(body), one));
  expect(message).toMatch(/^input 'v': element 0 /);
  expect(message).toContain(reason);
});

test("refuses 64-bit numbers that are out of range or not written in digits", () => {
  const one = { inputs: [{ name: "v", datatype: "INT64", shape: [1] }], outputs: [] } as const;
  const body = (literal: string) => `{"inputs":[{"name":"v","datatype":"INT64","shape":[1],"data":[${literal}]}]}`;
  expect(messageOf(() => parseInferRequest(body("9223372036854775808"), one))).toContain("from -9223372036854775808");
  expect(messageOf(() => parseInferRequest(body("1e18"), one))).toContain("written in digits");
  expect(parseInferRequest(body("1e3"), one).inputs[0]?.data).toEqual(BigInt64Array.of(1000n));
});

test("refuses a literal that overflows, and accepts a whole FP64 beyond 2^53 beside an exact INT64", () => {
  const both = {
    inputs: [
      { name: "f", datatype: "FP64", shape: [1] },
      { name: "i", datatype: "INT64", shape: [1] },
    ],
    outputs: [],
  } as const;
  const body = (f: string) =>
    `{"inputs":[{"name":"f","datatype":"FP64","shape":[1],"data":[${f}]},` +
    `{"name":"i","datatype":"INT64","shape":[1],"data":[9007199254740993]}]}`;
  expect(messageOf(() => parseInferRequest(body("1e999"), both))).toContain("too large for FP64");
  expect(parseInferRequest(body("100000000000000000000"), both).inputs.map(({ data }) => data)).toEqual([
    Float64Array.of(1e20),
    BigInt64Array.of(9_007_199_254_740_993n),
  ]);
});

test.each<[string, string, string]>([
  ["an empty body", "", "the request body is empty"],
  ["no JSON, saying where", '{"inputs": [1 2]}', "not valid JSON (at character 14)"],
  ["an array", "[]", "the request body is an array, expected an object"],
  ["null", "null", "is null"],
  ["no inputs", "{}", "'inputs' is missing, expected an array"],
  ["inputs as an object", '{"inputs": {}}', "'inputs' is an object"],
  ["an input that is a number", '{"inputs": [5]}', "inputs[0] is a number"],
  ["an input without a name", '{"inputs": [{}]}', "inputs[0].name is missing"],
  ["an id that is a number", '{"id": 5, "inputs": []}', "'id' is a number, expected a string"],
  ["parameters that are a number", '{"inputs": [], "parameters": 5}', "'parameters' is a number"],
  [
    "outputs that are a string",
    `{"inputs": [${JSON.stringify(x)},${JSON.stringify(flags)}], "outputs": "y"}`,
    "'outputs'",
  ],
  ["endless nesting", '{"inputs":'.repeat(50_000), "not valid JSON"],
])("refuses %s", (_what, body, reason) => {
  expect(refusal(body)).toContain(reason);
});

test("refuses a body that would take many times its size in memory, and is not misled by strings", () => {
  const decode = (text: string) => decodeBody(Buffer.from(text));
  expect(messageOf(() => decode(`[${"[".repeat(64)}`))).toContain("deeper than 64 levels");
  expect(messageOf(() => decode(`[${"[],".repeat(1_000_000)}1]`))).toContain("1000000 arrays and objects");
  for (const harmless of [`[${"[".repeat(63)}`, `["${"[".repeat(99)}"]`, `["\\"${"[".repeat(99)}"]`]) {
    expect(decode(harmless)).toBe(harmless);
  }
  expect(messageOf(() => decodeBody(Buffer.of(0x22, 0xff, 0x22)))).toContain("UTF-8");
});

test("says that binary tensors are not supported instead of answering in another form", () => {
  const binary = { ...x, data: undefined, parameters: { binary_data_size: 16 } };
  for (const body of [
    { inputs: [binary, flags] },
    { inputs: [x, flags], parameters: { binary_data_output: true } },
    { inputs: [x, flags], outputs: [{ name: "y", parameters: { binary_data: true } }] },
  ]) {
    expect(refusal(body)).toContain("binary tensor extension is not supported");
  }
});

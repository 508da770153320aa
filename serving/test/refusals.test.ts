import { expect, test } from "vitest";
import type { Signature } from "../src/models/model.ts";
import { type InferRequest, readInferRequest } from "../src/rest/infer-request.ts";
import type { Datatype } from "../src/tensor/tensor.ts";
import { requestLimits } from "./request-limits.ts";

const signature = {
  inputs: [
    { name: "x", datatype: "FP32", shape: [-1, 2] },
    { name: "flags", datatype: "BOOL", shape: [2] },
  ],
  outputs: [{ name: "y", datatype: "FP32", shape: [-1] }],
} as const;

const x = { name: "x", datatype: "FP32", shape: [2, 2], data: [1, 2, 3, 4] };
const flags = { name: "flags", datatype: "BOOL", shape: [2], data: [true, false] };

function parse(body: unknown, of: Signature = signature): InferRequest {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return readInferRequest(Buffer.from(text), undefined, of, requestLimits());
}

function refusal(body: unknown, of: Signature = signature): string {
  return messageOf(() => parse(body, of));
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
  for (const input of [
    { ...x, shape: [0, 2] },
    { data: x.data, name: "x", datatype: "FP32", shape: [0, 2] },
  ]) {
    const nested = { inputs: [{ ...input, data: [[1, 2]] }, flags] };
    expect(refusal(nested, { ...signature, emptyTensors: true })).toBe(
      "input 'x': 'data' has 1 elements in dimension 0, but shape [0,2] needs 0",
    );
  }
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

const open = { name: "x", datatype: "FP32", shape: [] } as const;

test("does not allocate what a huge shape claims", () => {
  expect(refusal({ inputs: [{ ...x, shape: [2 ** 52, 2] }, flags] })).toContain("holds 4 elements");
  const open = { inputs: [{ name: "x", datatype: "FP32", shape: [] }], outputs: [] } as const;
  const body = { inputs: [{ name: "x", datatype: "FP32", shape: [2, 2 ** 50], data: [[1], [2]] }] };
  expect(refusal(body, open)).toContain("has 1 elements in dimension 1");
  const deep = { inputs: [{ name: "x", datatype: "FP32", shape: new Array(100_000).fill(1), data: [1] }] };
  expect(refusal(deep, open)).toContain("100000 dimensions");
});

test("refuses a dimension of an empty tensor that the runtime could not take", () => {
  const empty = { name: "x", datatype: "FP32", data: [] };
  const allowing = { inputs: [open], outputs: [], emptyTensors: true };
  expect(refusal({ inputs: [{ ...empty, shape: [2 ** 32, 0] }] }, allowing)).toBe(
    "input 'x': 'shape' holds 4294967296, more than 4294967295",
  );
  expect(parse({ inputs: [{ ...empty, shape: [2 ** 32 - 1, 0] }] }, allowing).inputs).toHaveLength(1);
});

test("refuses a dimension of 0 that the model leaves open, in each form, unless its config.json allows it", () => {
  const said =
    "input 'x': 'shape' is [0,2], and this model takes no tensor without elements: send no request where there is " +
    'nothing to compute, or allow it by "emptyTensors": true in the model\'s config.json';
  const of: Signature = { inputs: [{ ...x, datatype: "FP32", shape: [-1, 2] }], outputs: [] };
  const empty = { name: "x", datatype: "FP32", shape: [0, 2] };
  const json = { inputs: [{ ...empty, data: [] }] };
  const head = Buffer.from(JSON.stringify({ inputs: [{ ...empty, parameters: { binary_data_size: 0 } }] }));
  const binary = (signature: Signature) => readInferRequest(head, head.length, signature, requestLimits());
  const raw = (signature: Signature) => readInferRequest(Buffer.alloc(0), 0, signature, requestLimits());
  expect([refusal(json, of), messageOf(() => binary(of)), messageOf(() => raw(of))]).toEqual([said, said, said]);
  const anyRank = { inputs: [open], outputs: [] };
  expect(refusal({ inputs: [{ ...empty, data: [] }] }, anyRank)).toBe(said);
  const allowing = { ...of, emptyTensors: true };
  for (const { inputs } of [parse(json, allowing), binary(allowing), raw(allowing)]) {
    expect(inputs[0]).toMatchObject({ shape: [0, 2], data: new Float32Array(0) });
  }
});

test("takes the 0 that a model declares itself, and no other", () => {
  const of: Signature = { inputs: [{ name: "x", datatype: "FP32", shape: [0, -1] }], outputs: [] };
  const input = { name: "x", datatype: "FP32", data: [] };
  expect(parse({ inputs: [{ ...input, shape: [0, 3] }] }, of).inputs).toHaveLength(1);
  expect(refusal({ inputs: [{ ...input, shape: [0, 0] }] }, of)).toContain("takes no tensor without elements");
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
    "'datatype' is none of the protocol's, the model needs FP32",
  );
  expect(refusal({ inputs: [{ ...x, datatype: undefined }, flags] })).toContain("'datatype' is missing");
});

test.each<[Datatype, unknown, string]>([
  ["FP32", "1", "is a string"],
  ["FP32", null, "is null"],
  ["FP32", true, "is a boolean"],
  ["FP32", 1e39, "too large for FP32"],
  ["FP16", 65_520, "too large for FP16"],
  ["FP16", "1", "is a string"],
  ["FP32", "nan", '"NaN", "Infinity" or "-Infinity"'],
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
  const message = refusal(body, one);
  expect(message).toMatch(/^input 'v': element 0 /);
  expect(message).toContain(reason);
});

test("refuses 64-bit numbers that are out of range or not written in digits", () => {
  const one = { inputs: [{ name: "v", datatype: "INT64", shape: [1] }], outputs: [] } as const;
  const body = (literal: string) => `{"inputs":[{"name":"v","datatype":"INT64","shape":[1],"data":[${literal}]}]}`;
  expect(refusal(body("9223372036854775808"), one)).toContain("from -9223372036854775808");
  expect(refusal(body("1e18"), one)).toContain("written in digits");
  expect(parse(body("1e3"), one).inputs[0]?.data).toEqual(BigInt64Array.of(1000n));
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
  expect(refusal(body("1e999"), both)).toContain("too large for FP64");
  expect(parse(body("100000000000000000000"), both).inputs.map(({ data }) => data)).toEqual([
    Float64Array.of(1e20),
    BigInt64Array.of(9_007_199_254_740_993n),
  ]);
});

test.each<[string, string, string]>([
  ["an empty body", "", "the request body is empty"],
  ["no JSON, saying where", '{"id": "a" 2}', "not valid JSON (at character 11)"],
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
  ["endless nesting", '{"inputs":'.repeat(50_000), "nested deeper than 64 levels"],
])("refuses %s", (_what, body, reason) => {
  expect(refusal(body)).toContain(reason);
});

test("passes over what it does not know without building it, and is not misled by strings", () => {
  const around = (extra: string) => `{"extra":${extra},"inputs":[${JSON.stringify(x)},${JSON.stringify(flags)}]}`;
  expect(refusal(around("[".repeat(64)))).toContain("deeper than 64 levels");
  for (const harmless of [
    `${"[".repeat(63)}${"]".repeat(63)}`,
    `["${"[".repeat(99)}"]`,
    `["\\"${"[".repeat(99)}"]`,
    `[${"[],".repeat(1_000_000)}1]`,
  ]) {
    expect(parse(around(harmless)).inputs[0]?.data).toEqual(Float32Array.of(1, 2, 3, 4));
  }
  expect(
    messageOf(() => readInferRequest(Buffer.of(0x22, 0xff, 0x22), undefined, signature, requestLimits())),
  ).toContain("UTF-8");
});

test.each([
  ['{"inputs":[],}', 13],
  ['{"inputs":[]} x', 14],
  ['{"a":01,"inputs":[]}', 6],
  ['{"a":+1}', 5],
  ['{"a":.5}', 5],
  ['{"a":1.}', 7],
  ['{"a":1e}', 7],
  ['{"a":tru}', 8],
  ['{"a":NaN}', 5],
  ['{"a":"\n"}', 6],
  ['{"a":"\\x"}', 5],
  ['{"a":"\\ud8"}', 5],
  ["{a:1}", 1],
  ["{'a':1}", 1],
  ['{"a" 1}', 5],
  ['{"a":1', 6],
  ['{"a":"', 6],
])("refuses %j, no JSON from character %i on", (text, place) => {
  expect(() => JSON.parse(text)).toThrow(SyntaxError);
  expect(refusal(text)).toBe(`the request body is not valid JSON (at character ${place})`);
});

test.each([
  "[1,01]",
  "[1,1.]",
  "[1,-]",
  "[1,+2]",
  "[1,.5]",
  "[1,1e]",
  "[1,0x10]",
  "[1,]",
  "[,1]",
  "[1 2]",
  "[1,nul]",
  "[1,tru]",
])("refuses elements that are no JSON: %s", (data) => {
  for (const datatype of ["FP32", "FP64", "FP16", "INT8", "INT64", "BOOL", "BYTES"] as const) {
    const of = { inputs: [{ name: "v", datatype, shape: [2] }], outputs: [] };
    const message = refusal(`{"inputs":[{"name":"v","datatype":"${datatype}","shape":[2],"data":${data}}]}`, of);
    expect(message).toMatch(/is not valid JSON \(at character \d+\)$|element 0 of 'data' is a number/);
  }
});

test("refuses a member that is there twice, and tensors beyond a bound", () => {
  const entry = Object.entries({ ...x, parameters: {} }).map(([key, value]) => `"${key}":${JSON.stringify(value)}`);
  for (const member of entry) {
    const [, key] = /^"(\w+)"/.exec(member) ?? [];
    expect(refusal(`{"inputs":[{${[...entry, member].join(",")}}]}`)).toBe(`input 'x': '${key}' is there twice`);
  }
  expect(refusal(`{"inputs":[],"outputs":[{"name":"y","name":"y"}]}`)).toBe("outputs[0]: 'name' is there twice");
  for (const key of ["id", "inputs", "outputs", "parameters"]) {
    const value = { id: '"a"', inputs: "[]", outputs: "[]", parameters: "{}" }[key];
    expect(refusal(`{"${key}":${value},"${key}":${value}}`)).toBe(`'${key}' is there twice`);
  }
  for (const [key, entry] of [
    ["inputs", JSON.stringify(x)],
    ["outputs", '{"name":"y"}'],
  ] as const) {
    const body = (count: number) => `{"${key}":[${Array(count).fill(entry).join(",")}]}`;
    expect(refusal(body(257))).toBe(`'${key}' holds more than 256 tensors, the limit of this server`);
    expect(refusal(body(256))).not.toContain("more than");
  }
});

test("takes 'data' before what says how to read it", () => {
  const text = '{"inputs":[{"data":[[1,2],[3,4]],"shape":[2,2],"datatype":"FP32","name":"x"},';
  expect(parse(`${text}${JSON.stringify(flags)}]}`).inputs.map(({ data }) => data)).toEqual([
    Float32Array.of(1, 2, 3, 4),
    Uint8Array.of(1, 0),
  ]);
});

test("reads the parameters that it knows, and refuses what they cannot be", () => {
  const around = (parameters: unknown) => ({ inputs: [x, flags], parameters });
  expect(parse(around({ timeout: 1500 })).timeoutMs).toBe(1.5);
  expect(parse(around({ timeout: 0, priority: 3, custom: "x" })).timeoutMs).toBeUndefined();
  expect(refusal(around({ timeout: -1 }))).toContain("'timeout' must be a number of microseconds");
  expect(refusal(around({ timeout: "1" }))).toContain("'timeout' must be a number of microseconds");
  expect(refusal(around({ binary_data_output: "yes" }))).toContain("'binary_data_output' must be true or false");
  expect(refusal(around({ custom: "x".repeat(70_000) }))).toContain("longer than 65536 bytes");
  const classification = { name: "y", parameters: { classification: 3 } };
  expect(refusal({ inputs: [x, flags], outputs: [classification] })).toContain("classification extension is not");
});

test("says what is missing when binary data is announced and does not come", () => {
  const binary = { ...x, data: undefined, parameters: { binary_data_size: 16 } };
  expect(refusal({ inputs: [binary, flags] })).toBe(
    "input 'x' has 'binary_data_size', but the request has no binary part: " +
      "send Inference-Header-Content-Length with the length of the JSON",
  );
  expect(refusal({ inputs: [{ ...binary, data: x.data }, flags] })).toContain("both 'data' and 'binary_data_size'");
});

import { expect, onTestFinished, test, vi } from "vitest";
import { readInferRequest } from "../src/rest/infer-request.ts";
import type { Datatype, TensorData } from "../src/tensor/tensor.ts";
import { random32 } from "./random.ts";
import { requestLimits } from "./request-limits.ts";

/** The elements as the reader has them. */
function read(datatype: Datatype, literals: readonly string[]): TensorData {
  const signature = { inputs: [{ name: "v", datatype, shape: [-1] }], outputs: [] };
  const text = `{"inputs":[{"name":"v","datatype":"${datatype}","shape":[${literals.length}],"data":[${literals}]}]}`;
  return readInferRequest(Buffer.from(text), undefined, signature, requestLimits()).inputs[0]?.data as TensorData;
}

/** Numbers as clients write them, and as only a fuzzer would. */
function literals(): string[] {
  const draw = random32(7);
  const one = new Float64Array(1);
  const bits = new Uint32Array(one.buffer);
  const texts = ["0", "-0", "-0.0", "0e5", "0.1", "1e-45", "1.5e-320", "3.4028234663852886e38", "1E+2", "1e22", "1e23"];
  // Half-way between two singles, and a little off: a sum of roundings would go wrong here.
  texts.push(
    "1.00000005960464477539",
    "1.000000059604644775390625",
    "1.00000005960464477540",
    "16777217",
    "16777219.0",
  );
  texts.push(
    "9007199254740993",
    "0.000000000000000000000000000000000000000000001",
    `${"9".repeat(30)}e-10`,
    "123456789012345678.5",
  );
  for (let count = 0; count < 50_000; count++) {
    bits[0] = draw();
    bits[1] = draw();
    const [value] = one as unknown as [number];
    if (Number.isFinite(value)) texts.push(String(value));
    const single = Math.fround(draw() / 2 ** 32 - 0.5);
    texts.push(String(single), single.toPrecision(1 + (draw() % 21)), (single * 1000).toFixed(draw() % 20));
    texts.push(`${draw()}${draw()}`, `${draw()}.${draw()}${draw()}`, `-${draw()}e${(draw() % 60) - 30}`);
  }
  return texts;
}

const LITERALS = literals();

test("reads a double as JSON.parse does, to the last bit", () => {
  const expected = Float64Array.from(LITERALS, (text) => JSON.parse(text) as number);
  expect(differing(read("FP64", LITERALS), expected)).toEqual([]);
});

test("reads a single as JSON.parse and a rounding do, to the last bit", () => {
  const fitting = LITERALS.filter((text) => Number.isFinite(Math.fround(Number(text))));
  const expected = Float32Array.from(fitting, (text) => JSON.parse(text) as number);
  expect(differing(read("FP32", fitting), expected)).toEqual([]);
});

test("reads a half-precision number rounded to the nearest once", () => {
  const fitting = [...LITERALS.filter((text) => Math.abs(Number(text)) < 65_520), "65519.999", "5.9604644775390625e-8"];
  const expected = Float16Array.from(fitting, (text) => JSON.parse(text) as number);
  expect(differing(read("FP16", fitting), new Uint16Array(expected.buffer))).toEqual([]);
});

test("reads every 64-bit whole number in digits, to the last bit", () => {
  const draw = random32(3);
  const words = Array.from({ length: 10_000 }, () => (BigInt(draw()) << 32n) | BigInt(draw()));
  const signed = [...words.map((word) => BigInt.asIntN(64, word)), -(2n ** 63n), 2n ** 63n - 1n, 2n ** 53n + 1n, 0n];
  expect(read("INT64", signed.map(String))).toEqual(BigInt64Array.from(signed));
  expect(read("UINT64", words.map(String))).toEqual(BigUint64Array.from(words));
  expect(read("INT64", ["-0", "0.0", "12e2", "1.5e1"])).toEqual(BigInt64Array.of(0n, 0n, 1200n, 15n));
});

test("refuses a whole number of a million digits without working on it", () => {
  const digits = "9".repeat(1_000_000);
  const made = vi.spyOn(globalThis, "BigInt");
  onTestFinished(() => made.mockRestore());
  for (const datatype of ["INT64", "UINT64"] as const) {
    expect(() => read(datatype, [digits])).toThrow(/needs a whole number from/);
  }
  expect(made).not.toHaveBeenCalled();
});

test("reads white space anywhere, and the escapes of text", () => {
  const spaced =
    ' { "inputs" :\t[ { "name":"v" , "datatype":"BYTES","shape" : [ 3 ]\r\n, "data":[ "a" ,"\\u00e9\\n", "☃"] } ] } ';
  const signature = { inputs: [{ name: "v", datatype: "BYTES", shape: [-1] }], outputs: [] } as const;
  expect(readInferRequest(Buffer.from(spaced), undefined, signature, requestLimits()).inputs[0]?.data).toEqual([
    "a",
    "é\n",
    "☃",
  ]);
});

test("reads what nests as the shape says, also where it holds nothing", () => {
  const v = { name: "v", datatype: "INT32", shape: [-1, -1, -1] } as const;
  const signature = { inputs: [v], outputs: [], emptyTensors: true };
  const data = (shape: string, text: string) => {
    const body = `{"inputs":[{"name":"v","datatype":"INT32","shape":${shape},"data":${text}}]}`;
    return readInferRequest(Buffer.from(body), undefined, signature, requestLimits()).inputs[0]?.data;
  };
  expect(data("[2,1,2]", "[[[1,2]],[[3,4]]]")).toEqual(Int32Array.of(1, 2, 3, 4));
  expect(data("[2,0,3]", "[[],[]]")).toEqual(new Int32Array());
  expect(data("[2,0,3]", "[]")).toEqual(new Int32Array());
  expect(() => data("[2,1,2]", "[[1,2],[3,4]]")).toThrow("neither flat nor nested");
  expect(() => data("[2,1,2]", "[[[1,2]],[[3]]]")).toThrow("has 1 elements in dimension 2");
});

/** Where two arrays differ bit by bit: -0 is not 0. */
function differing(found: TensorData, expected: Uint16Array | Float32Array | Float64Array): unknown[] {
  expect(found.length).toBe(expected.length);
  const places = [...expected.keys()].filter((index) => !Object.is(found[index], expected[index]));
  return places.slice(0, 5).map((index) => [LITERALS[index], found[index], expected[index]]);
}

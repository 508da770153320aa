import { expect, test } from "vitest";
import { singlesText } from "../src/rest/json/singles.ts";
import { quoteAscii, writeElements as writeWithin } from "../src/rest/json/write.ts";
import type { Tensor } from "../src/tensor/tensor.ts";
import { random32 } from "./random.ts";

const single = new Float32Array(1);
const bits = new Uint32Array(single.buffer);

function singleOf(pattern: number): number {
  bits[0] = pattern;
  return single[0] as number;
}

function singleText(value: number): string {
  return singlesText(Float32Array.of(value));
}

/** Finite singles of every size: patterns drawn evenly, and those at both ends of every binade. */
function* singles(): Generator<number> {
  for (let exponent = 0; exponent < 0xff; exponent++) {
    for (const mantissa of [0, 1, 2, 0x3fffff, 0x400000, 0x7ffffe, 0x7fffff])
      yield singleOf((exponent << 23) | mantissa);
  }
  const draw = random32(1);
  for (let count = 0; count < 200_000; count++) {
    const value = singleOf(draw());
    if (Number.isFinite(value)) yield value;
  }
  // What models give: probabilities, scores, pixels.
  for (let count = 0; count < 200_000; count++) yield Math.fround(draw() / 2 ** 32);
  for (let count = 0; count <= 255; count++) yield Math.fround(count / 255);
}

test("writes a single so that it is read back as that single, in nine digits at most unless it is whole", () => {
  for (const value of singles()) {
    const text = singleText(value);
    if (Math.fround(JSON.parse(text) as number) !== value) expect.fail(`${value} is written ${text}`);
    if (!Number.isInteger(value) && significantDigits(text) > 9) expect.fail(`${value} is written ${text}`);
  }
});

test("writes a single in as few digits as it can be told from its neighbours", () => {
  let longer = 0;
  let count = 0;
  for (const value of singles()) {
    if (Number.isInteger(value)) continue;
    count++;
    if (significantDigits(singleText(value)) > significantDigits(shortest(value))) longer++;
  }
  // Seldom does a shorter decimal lie within a single's reach that is not its rounding to seven digits.
  expect(longer / count).toBeLessThan(1e-3);
  expect([0.1, 0.3, -1.5, 1e-3, 1.1754943508222875e-38, 1e-45].map(Math.fround).map(singleText)).toEqual([
    "0.1",
    "0.3",
    "-1.5",
    "0.001",
    "1.1754944e-38",
    "1e-45",
  ]);
});

/** The fewest digits that do, by trying. */
function shortest(value: number): string {
  for (let digits = 1; ; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return text;
  }
}

function significantDigits(text: string): number {
  return text.replace(/e.*$/, "").replace(/[-.]/g, "").replace(/^0+/, "").replace(/0+$/, "").length;
}

/** The text, in one. */
function writeElements(of: Tensor, limit = Number.POSITIVE_INFINITY): string {
  const written = writeWithin(of, limit);
  return typeof written === "string" ? written : Buffer.concat(written).toString("latin1");
}

function tensor(datatype: Tensor["datatype"], data: Tensor["data"]): Tensor {
  return { name: "x", datatype, shape: [data.length], data };
}

test("writes every datatype as JSON, -0 with a sign that every reader keeps, and what JSON has no number for as a string", () => {
  expect(writeElements(tensor("BOOL", Uint8Array.of(0, 1, 2)))).toBe("[false,true,true]");
  expect(writeElements(tensor("INT8", Int8Array.of(-128, 127)))).toBe("[-128,127]");
  expect(writeElements(tensor("UINT64", BigUint64Array.of(2n ** 64n - 1n)))).toBe("[18446744073709551615]");
  expect(writeElements(tensor("INT64", BigInt64Array.of(-(2n ** 63n))))).toBe("[-9223372036854775808]");
  expect(writeElements(tensor("FP64", Float64Array.of(0.1, -0, 1e300, 5e-324)))).toBe("[0.1,-0.0,1e+300,5e-324]");
  expect(writeElements(tensor("FP32", Float32Array.of(0.1, -0, 2 ** 24)))).toBe("[0.1,-0.0,16777216]");
  const none = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const array of [Float32Array.from(none), Float64Array.from(none)]) {
    const datatype = array instanceof Float32Array ? "FP32" : "FP64";
    expect(writeElements(tensor(datatype, array))).toBe('["NaN","Infinity","-Infinity"]');
  }
  expect(writeElements(tensor("BYTES", []))).toBe("[]");
});

test("writes every half-precision number so that it is read back with the same bits", () => {
  const all = Uint16Array.from({ length: 2 ** 16 }, (_, pattern) => pattern);
  const read = (JSON.parse(writeElements(tensor("FP16", all))) as (number | string)[]).map(Number);
  const back = new Uint16Array(Float16Array.from(read).buffer);
  const isNaN16 = (pattern: number) => (pattern & 0x7c00) === 0x7c00 && (pattern & 0x3ff) !== 0;
  expect([...all].filter((pattern) => !isNaN16(pattern) && back[pattern] !== pattern)).toEqual([]);
});

test("writes text in ASCII, whatever it holds", () => {
  for (const text of ["", "plain", 'quote " and \\', "naïve ☃ 😀", "\u0000\u001f\u007f\u2028", "\ud800 half"]) {
    const quoted = quoteAscii(text);
    expect(quoted).toMatch(/^[\x20-\x7f]*$/);
    expect(JSON.parse(quoted)).toBe(text);
  }
});

test("writes large tensors in pieces that together are the same array", () => {
  const count = 30_001;
  const values = Array.from({ length: count }, (_, index) => index % 100);
  for (const one of [
    tensor("FP32", Float32Array.from(values)),
    tensor("FP64", Float64Array.from(values)),
    tensor("UINT8", Uint8Array.from(values)),
    tensor("INT64", BigInt64Array.from(values, BigInt)),
  ]) {
    expect(typeof writeWithin(one, 1e9)).toBe("object");
    expect(JSON.parse(writeElements(one))).toEqual(values);
  }
  expect(JSON.parse(writeElements(tensor("BOOL", Uint8Array.from(values))))).toEqual(
    values.map((value) => value !== 0),
  );
  const halves = new Uint16Array(Float16Array.from(values).buffer);
  expect(JSON.parse(writeElements(tensor("FP16", halves)))).toEqual(values);
  const texts = values.map((value) => `text ${value} \u2603`);
  expect(JSON.parse(writeElements(tensor("BYTES", texts)))).toEqual(texts);
});

test("writes no more than it may, however large the tensor is", () => {
  const fits = (one: Tensor, limit: number) => {
    try {
      return writeElements(one, limit).length <= limit;
    } catch (error) {
      return (error as Error).name;
    }
  };
  for (const one of [
    tensor("UINT8", new Uint8Array(20_000)),
    tensor("UINT8", new Uint8Array(100)),
    tensor("BYTES", Array(20_000).fill("x")),
    tensor("BYTES", ["x".repeat(20_000)]),
  ]) {
    const { length } = writeElements(one);
    expect([fits(one, length), fits(one, length - 1), fits(one, 10)]).toEqual([true, "JsonTooLarge", "JsonTooLarge"]);
  }
});

import { describe, expect, it } from "vitest";
import { parseParameters, toPython, toYaml } from "../src/parameters.ts";

describe("parameters", () => {
  it("are a JSON object with names of Python variables", () => {
    expect(parseParameters('{"seed": 7, "größe": [1, {"a": null}]}')).toEqual({ seed: 7, größe: [1, { a: null }] });
    for (const wrong of ["7", "[]", "null", "{", '{"a-b": 1}', '{"a b": 1}', '{"1a": 1}'])
      expect(parseParameters(wrong), wrong).toBeTypeOf("string");
  });

  it("are written so that YAML 1.1 reads the same numbers", () => {
    expect(toYaml({ a: 1e-7, b: 1.5e300, c: 0.1, d: -3, e: 1e21 })).toBe(
      '{"a": 1.0e-7, "b": 1.5e+300, "c": 0.1, "d": -3, "e": 1.0e+21}',
    );
  });

  it("are written so that a word stays a word, in ASCII", () => {
    expect(toYaml({ a: "yes", b: "1e-5", c: 'q"\\\n', d: "é\u2028😀\u007f", e: [true, null] })).toBe(
      '{"a": "yes", "b": "1e-5", "c": "q\\"\\\\\\n", "d": "\\u00e9\\u2028\\U0001f600\\u007f", "e": [true, null]}',
    );
  });

  it("are kept as Python prints them", () => {
    expect([true, null, "x", 0.5, [1, 2]].map(toPython)).toEqual(["True", "None", "x", "0.5", "[1,2]"]);
  });
});

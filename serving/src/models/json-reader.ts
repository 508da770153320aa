import { describe, isObject } from "../protocol/json.ts";
import { quote } from "../protocol/signature.ts";

/** Turns a part of a JSON document into what the program works with; `path` says which part, for messages. */
export type Reader<T> = (value: unknown, path: string) => T;

/** A part of a JSON document is not what it should be; the message names the part. */
export class JsonFault extends Error {
  override readonly name = "JsonFault";
}

/** An object with these keys, all optional, and no others. */
export function object<T extends object>(fields: { readonly [Key in keyof T]: Reader<T[Key]> }): Reader<Partial<T>> {
  const known = new Map<string, Reader<unknown>>(Object.entries(fields));
  return (value, path) => {
    const read: Record<string, unknown> = {};
    for (const [key, part] of entriesOf(value, path)) {
      const reader = known.get(key);
      if (reader === undefined) {
        throw new JsonFault(`unknown key ${quote(join(path, key))}, expected one of: ${[...known.keys()].join(", ")}`);
      }
      read[key] = reader(part, join(path, key));
    }
    return read as Partial<T>;
  };
}

/** An object that maps names of any kind to values of one kind. */
export function map<T>(each: Reader<T>): Reader<ReadonlyMap<string, T>> {
  return (value, path) => new Map(entriesOf(value, path).map(([key, part]) => [key, each(part, join(path, key))]));
}

export function list<T>(each: Reader<T>): Reader<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw unexpected(value, path, "an array");
    return value.map((part, index) => each(part, `${path}[${index}]`));
  };
}

export function wholeNumber(least: number, most: number): Reader<number> {
  return (value, path) => {
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
    throw unexpected(value, path, `a whole number from ${least} to ${most}`);
  };
}

export function oneOf<const T extends string | boolean>(...values: readonly T[]): Reader<T> {
  return (value, path) => {
    const found = values.find((one) => one === value);
    if (found !== undefined) return found;
    throw unexpected(value, path, values.map((one) => JSON.stringify(one)).join(" or "));
  };
}

export function matching(pattern: RegExp, expected: string): Reader<string> {
  return (value, path) => {
    if (typeof value === "string" && pattern.test(value)) return value;
    throw unexpected(value, path, expected);
  };
}

/** What a part is and what it should be, in words. */
export function unexpected(value: unknown, path: string, expected: string): JsonFault {
  const isPlain = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
  const found = isPlain ? JSON.stringify(value).slice(0, 100) : describe(value);
  return new JsonFault(`${path === "" ? "the document" : path} is ${found}, expected ${expected}`);
}

function entriesOf(value: unknown, path: string): [string, unknown][] {
  if (!isObject(value)) throw unexpected(value, path, "an object");
  return Object.entries(value);
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

import { isIP } from "node:net";
import { SettingsError } from "./error.ts";

/** A value as given, and where: `--port`, `PORT`, or the settings file's `port`. */
export interface Given {
  readonly source: string;
  readonly text: string;
}

/** @throws SettingsError, as all below */
export function nonEmpty({ source, text }: Given): string {
  if (text === "") throw new SettingsError(`${source} is empty`);
  return text;
}

/** The path of a file; undefined when there is none. */
export function optionalFile({ text }: Given): string | undefined {
  return text === "" ? undefined : text;
}

/** An IP address, or `localhost`. */
export function address(given: Given): string {
  if (isIP(given.text) === 0 && given.text !== "localhost") {
    throw unexpected(given, "an IP address such as 0.0.0.0, :: or 127.0.0.1");
  }
  return given.text;
}

export function wholeNumber(given: Given, least: number, most: number): number {
  const number = digits(given.text);
  if (!(number >= least && number <= most)) throw unexpected(given, `a whole number from ${least} to ${most}`);
  return number;
}

/** A port; 0 takes a free one. */
export function port(given: Given): number {
  return wholeNumber(given, 0, 65_535);
}

/** A port; undefined when it is off. */
export function optionalPort(given: Given): number | undefined {
  if (given.text === "off" || given.text === "") return undefined;
  const number = digits(given.text);
  if (!(number <= 65_535)) throw unexpected(given, "a whole number from 0 to 65535, or off");
  return number;
}

export function oneOf<T extends string>(given: Given, values: readonly T[]): T {
  const value = values.find((each) => each === given.text);
  if (value === undefined) throw unexpected(given, `one of ${values.join(", ")}`);
  return value;
}

function digits(text: string): number {
  return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
}

function unexpected({ source, text }: Given, expected: string): SettingsError {
  return new SettingsError(`${source} is '${text}', expected ${expected}`);
}

import { POWERS_OF_TEN } from "./number.ts";

/** A sign, nine digits, a point, zeros before the first digit, and a comma. */
const LONGEST = 24;
/** Singles from here on are written without an exponent. */
const LEAST_DECIMAL = 1e-6;
/** From here on 10^(8 - exponent) is an exact double. */
const LEAST = 1e-14;
const LEAST_NORMAL = 2 ** -126;
/** From here on every single is a whole number. */
const WHOLE_FROM = 2 ** 24;
const ZERO = 0x30;

/** Texts up to this length are put together in memory that is kept. */
const KEPT_BYTES = 16 * 1024;
const kept = Buffer.allocUnsafeSlow(KEPT_BYTES);

/**
 * Singles as the elements of a JSON array, each in as few digits as give that single back when they are read, as a double or as a single:
 * 0.1, where the digits of the double beside it would be 0.10000000149011612. NaN and the infinities, which JSON lacks, are
 * strings, as in the JSON mapping of protocol buffers.
 */
export function singlesText(values: Float32Array): string {
  const size = values.length * LONGEST;
  const bytes = size <= KEPT_BYTES ? kept : Buffer.allocUnsafe(size);
  let at = 0;
  for (let index = 0; index < values.length; index++) {
    if (index > 0) bytes[at++] = 0x2c;
    at = writeSingle(bytes, at, values[index] as number);
  }
  return bytes.toString("latin1", 0, at);
}

function writeSingle(bytes: Buffer, start: number, value: number): number {
  const magnitude = value < 0 ? -value : value;
  let at = start;
  if (value === 0 && !Object.is(value, -0)) {
    bytes[at++] = ZERO;
    return at;
  }
  if (!(magnitude >= LEAST && magnitude < WHOLE_FROM)) return start + bytes.write(rareText(value), start, "latin1");
  if (value < 0) bytes[at++] = 0x2d;
  if (Math.trunc(magnitude) === magnitude) return writeDigits(bytes, at, magnitude);
  const exponent = exponentOf(magnitude);
  // Seven digits give most singles back, nine give all.
  for (let places = 6 - exponent; ; places++) {
    const power = POWERS_OF_TEN[places] as number;
    const digits = Math.round(magnitude * power);
    if (Math.fround(digits / power) === magnitude || places === 8 - exponent) {
      return writeFraction(bytes, at, digits, places, magnitude < LEAST_DECIMAL);
    }
  }
}

/** The power of ten of the first digit. */
function exponentOf(magnitude: number): number {
  if (magnitude >= 1) {
    let exponent = 0;
    while (magnitude >= (POWERS_OF_TEN[exponent + 1] as number)) exponent++;
    return exponent;
  }
  let exponent = -1;
  while (magnitude * (POWERS_OF_TEN[-exponent] as number) < 1) exponent--;
  return exponent;
}

/** `digits` / 10^`places`, without zeros at the end. */
function writeFraction(bytes: Buffer, start: number, digits: number, places: number, isTiny: boolean): number {
  let rest = digits;
  let fraction = places;
  while (fraction > 0 && rest % 10 === 0) {
    rest /= 10;
    fraction--;
  }
  return isTiny ? writeScientific(bytes, start, rest, fraction) : writeDecimal(bytes, start, rest, fraction);
}

function writeDecimal(bytes: Buffer, start: number, digits: number, places: number): number {
  if (places === 0) return writeDigits(bytes, start, digits);
  const power = POWERS_OF_TEN[places] as number;
  const whole = Math.floor(digits / power);
  let at = writeDigits(bytes, start, whole);
  bytes[at++] = 0x2e;
  let part = digits - whole * power;
  const end = at + places;
  for (let place = end - 1; place >= at; place--) {
    const next = Math.floor(part / 10);
    bytes[place] = ZERO + (part - next * 10);
    part = next;
  }
  return end;
}

/** `digits` / 10^`places`, which is below 1, as `1.5e-7`: what a classifier gives to most classes is as small as this. */
function writeScientific(bytes: Buffer, start: number, digits: number, places: number): number {
  let at = writeDigits(bytes, start, digits);
  const behind = at - start - 1;
  if (behind > 0) {
    bytes.copyWithin(start + 2, start + 1, at++);
    bytes[start + 1] = 0x2e;
  }
  bytes[at++] = 0x65;
  bytes[at++] = 0x2d;
  return writeDigits(bytes, at, places - behind);
}

/** A whole number below 2^53. */
function writeDigits(bytes: Buffer, start: number, number: number): number {
  let length = 1;
  while (number >= (POWERS_OF_TEN[length] as number)) length++;
  const end = start + length;
  let rest = number;
  for (let place = end - 1; place >= start; place--) {
    const next = Math.floor(rest / 10);
    bytes[place] = ZERO + (rest - next * 10);
    rest = next;
  }
  return end;
}

/** Very small and very large numbers, the negative zero, and what is no number. */
function rareText(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  if (value === 0) return "-0.0";
  // Below the normal range a single has fewer bits, and fewer digits tell it from its neighbours.
  for (let digits = Math.abs(value) < LEAST_NORMAL ? 1 : 6; digits <= 9; digits++) {
    const shortest = Number(value.toPrecision(digits));
    if (Math.fround(shortest) === value) return String(shortest);
  }
  return String(value);
}

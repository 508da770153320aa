import { CHARACTER, type JsonCursor } from "./cursor.ts";

/** Powers of ten that a double holds exactly. */
export const POWERS_OF_TEN = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** Digits that always fit in the 53 bits of a double. */
const EXACT_DIGITS = 15;
const MAX_EXPONENT = 22;

/**
 * Reads one JSON number where `cursor` stands and leaves it behind the number. No other number is read meanwhile, so one
 * reader serves all and its fields are the result: an object for each number would cost more than the number.
 *
 * Exact: a decimal of up to 15 digits times or divided by a power of ten up to 10^22 is one correctly rounded operation on
 * exact doubles (W. D. Clinger, "How to read floating point numbers accurately", 1990); any other is left to `Number`.
 */
export class NumberReader {
  /** The number. */
  value = 0;
  /** Whether it was written without a fraction and an exponent. */
  isWhole = true;
  #exponent = 0;
  #dropped = false;
  #digits = 0;
  #mantissa = 0;

  /** As a double. */
  readDouble(cursor: JsonCursor): void {
    const start = this.#scan(cursor);
    this.value =
      this.#dropped || this.#exponent > MAX_EXPONENT || this.#exponent < -MAX_EXPONENT
        ? slowNumber(cursor, start)
        : this.#signed(cursor, start, this.#scaled());
  }

  #scaled(): number {
    const exponent = this.#exponent;
    const mantissa = this.#mantissa;
    if (exponent === 0) return mantissa;
    return exponent > 0
      ? mantissa * (POWERS_OF_TEN[exponent] as number)
      : mantissa / (POWERS_OF_TEN[-exponent] as number);
  }

  #signed(cursor: JsonCursor, start: number, magnitude: number): number {
    return cursor.bytes[start] === CHARACTER.minus ? -magnitude : magnitude;
  }

  /** Takes a number apart: mantissa × 10^exponent, but for digits dropped. Returns where it starts. */
  #scan(cursor: JsonCursor): number {
    const { bytes } = cursor;
    const start = cursor.at;
    let index = start;
    let byte = bytes[index] as number;
    if (byte === CHARACTER.minus) byte = bytes[++index] as number;
    let mantissa = 0;
    let digits = 0;
    let exponent = 0;
    let dropped = false;
    if (byte === CHARACTER.zero) byte = bytes[++index] as number;
    else if (byte > CHARACTER.zero && byte <= CHARACTER.nine) {
      do {
        if (digits < EXACT_DIGITS) {
          mantissa = mantissa * 10 + (byte - CHARACTER.zero);
          digits++;
        } else {
          dropped = true;
          exponent++;
        }
        byte = bytes[++index] as number;
      } while (byte >= CHARACTER.zero && byte <= CHARACTER.nine);
    } else throw cursor.malformed(index);
    this.#mantissa = mantissa;
    this.#digits = digits;
    this.#exponent = exponent;
    this.#dropped = dropped;
    this.isWhole = byte !== CHARACTER.point && byte !== 0x65 && byte !== 0x45;
    cursor.at = this.isWhole ? index : this.#scanRest(cursor, index);
    return start;
  }

  /** The fraction and the exponent. Returns where the number ends. */
  #scanRest(cursor: JsonCursor, from: number): number {
    const { bytes } = cursor;
    let index = from;
    let byte = bytes[index] as number;
    if (byte === CHARACTER.point) {
      byte = bytes[++index] as number;
      if (!(byte >= CHARACTER.zero && byte <= CHARACTER.nine)) throw cursor.malformed(index);
      let mantissa = this.#mantissa;
      let digits = this.#digits;
      let scale = 0;
      do {
        if (digits < EXACT_DIGITS) {
          mantissa = mantissa * 10 + (byte - CHARACTER.zero);
          // Zeros in front are no digits.
          if (mantissa !== 0) digits++;
          scale--;
        } else if (byte !== CHARACTER.zero) this.#dropped = true;
        byte = bytes[++index] as number;
      } while (byte >= CHARACTER.zero && byte <= CHARACTER.nine);
      this.#mantissa = mantissa;
      this.#exponent += scale;
    }
    if (byte !== 0x65 && byte !== 0x45) return index;
    const sign = bytes[++index] as number;
    if (sign === 0x2b || sign === CHARACTER.minus) index++;
    byte = bytes[index] as number;
    if (!(byte >= CHARACTER.zero && byte <= CHARACTER.nine)) throw cursor.malformed(index);
    let exponent = 0;
    do {
      exponent = Math.min(exponent * 10 + (byte - CHARACTER.zero), 100_000);
      byte = bytes[++index] as number;
    } while (byte >= CHARACTER.zero && byte <= CHARACTER.nine);
    this.#exponent += sign === CHARACTER.minus ? -exponent : exponent;
    return index;
  }
}

function slowNumber(cursor: JsonCursor, start: number): number {
  return Number(cursor.bytes.toString("latin1", start, cursor.at));
}

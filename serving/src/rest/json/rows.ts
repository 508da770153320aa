import { CHARACTER, type JsonCursor } from "./cursor.ts";
import { NumberReader, POWERS_OF_TEN } from "./number.ts";

/** Digits whose number, however they are put together, is a whole number below 2^53. */
const EXACT_DIGITS = 15;
/** With more, up to these, a double is off by a few units in its last place. */
const NEAR_DIGITS = 20;
/** More than that, relative to the number. */
const NEAR_ERROR = 4e-15;

const exotic = new NumberReader();

/** Tensors up to this size are read into memory that is kept: to get and give back memory costs as much as 64 numbers. */
const KEPT_ELEMENTS = 16 * 1024;
let kept = new Float64Array(1024);

function scratch(count: number): Float64Array {
  if (count > KEPT_ELEMENTS) return new Float64Array(count);
  if (count > kept.length) kept = new Float64Array(Math.max(count, 2 * kept.length));
  return kept;
}

/**
 * Reads the numbers of a tensor: an array in row-major order, or arrays in arrays as the shape says. One tight loop without
 * a call or an object for an element: what an element costs here is what large tensors cost.
 *
 * @param count the product of the shape
 * @param isSingle whether the numbers become singles: they are then read no more exactly than that needs
 * @returns at least `count` numbers, of use until the next call; undefined when the array holds something else than numbers,
 *   or not as many as the shape says: the cursor is then where it was, for the reader that says what is wrong
 */
export function readNumbers(
  cursor: JsonCursor,
  shape: readonly number[],
  count: number,
  isSingle: boolean,
): Float64Array | undefined {
  const start = cursor.at;
  const target = scratch(count);
  if (readLevel(cursor, target, { shape, count, isSingle }, 0, 0) === count) return target;
  cursor.at = start;
  return undefined;
}

interface Layout {
  readonly count: number;
  readonly shape: readonly number[];
  readonly isSingle: boolean;
}

const FAILED = -1;

/** Reads the array where the cursor stands into `target` from `offset`; where the next one goes, or FAILED. */
function readLevel(cursor: JsonCursor, target: Float64Array, layout: Layout, depth: number, offset: number): number {
  const { shape, count, isSingle } = layout;
  if (cursor.peek() !== CHARACTER.openArray) return FAILED;
  cursor.at++;
  const isNested = cursor.peek() === CHARACTER.openArray;
  if (!isNested) {
    const length = depth === 0 ? count : depth === shape.length - 1 ? (shape[depth] as number) : FAILED;
    return length === FAILED ? FAILED : readRow(cursor, target, offset, length, isSingle);
  }
  if (depth >= shape.length - 1) return FAILED;
  const length = shape[depth] as number;
  // There is a first row, where the shape says that there is none.
  if (length === 0) return FAILED;
  let next = offset;
  for (let index = 0; index < length; index++) {
    next = readLevel(cursor, target, layout, depth + 1, next);
    if (next === FAILED) return FAILED;
    const expected = index === length - 1 ? CHARACTER.closeArray : CHARACTER.comma;
    if (cursor.peek() !== expected) return FAILED;
    cursor.at++;
  }
  return next;
}

/** Reads `length` numbers and the bracket after them. */
function readRow(cursor: JsonCursor, target: Float64Array, offset: number, length: number, isSingle: boolean): number {
  const { bytes } = cursor;
  const end = offset + length;
  if (length === 0) {
    if (cursor.peek() !== CHARACTER.closeArray) return FAILED;
    cursor.at++;
    return end;
  }
  let at = cursor.at;
  let byte = bytes[at] as number;
  for (let index = offset; ; index++) {
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = bytes[++at] as number;
    const start = at;
    if (byte === CHARACTER.minus) byte = bytes[++at] as number;
    const first = at;
    let number = 0;
    while (byte >= CHARACTER.zero && byte <= CHARACTER.nine) {
      number = number * 10 + (byte - CHARACTER.zero);
      byte = bytes[++at] as number;
    }
    let digits = at - first;
    if (digits === 0 || (digits > 1 && bytes[first] === CHARACTER.zero)) return FAILED;
    let isUsual = digits <= NEAR_DIGITS && byte !== 0x65 && byte !== 0x45;
    if (byte === CHARACTER.point) {
      byte = bytes[++at] as number;
      const fraction = at;
      while (byte >= CHARACTER.zero && byte <= CHARACTER.nine) {
        number = number * 10 + (byte - CHARACTER.zero);
        byte = bytes[++at] as number;
      }
      const places = at - fraction;
      digits += places;
      isUsual = places > 0 && digits <= NEAR_DIGITS && byte !== 0x65 && byte !== 0x45;
      if (isUsual) number /= POWERS_OF_TEN[places] as number;
    }
    if (digits > EXACT_DIGITS && isUsual) {
      isUsual = isSingle && Math.fround(number * (1 - NEAR_ERROR)) === Math.fround(number * (1 + NEAR_ERROR));
    }
    if (isUsual) target[index] = bytes[start] === CHARACTER.minus ? -number : number;
    else {
      cursor.at = start;
      exotic.readDouble(cursor);
      target[index] = exotic.value;
      at = cursor.at;
      byte = bytes[at] as number;
    }
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = bytes[++at] as number;
    at++;
    if (index === end - 1) break;
    if (byte !== CHARACTER.comma) return FAILED;
    byte = bytes[at] as number;
  }
  cursor.at = at;
  return byte === CHARACTER.closeArray ? end : FAILED;
}

/** What a tensor is filled with. */
export type Fill = "random" | "zeros" | "ones" | "counting";

export const FILLS: readonly Fill[] = ["random", "zeros", "ones", "counting"];

/** Beyond, the data is made when it is sent and not shown: a text field with more is no fun to anybody. */
export const EDITABLE_ELEMENTS = 10_000;

/** How many elements a tensor of this shape has; the empty shape is a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Values for a tensor as JSON text, nested as the shape says, a row a line.
 *
 * @param random numbers from 0 to 1, as `Math.random`
 */
export function sampleData(datatype: string, shape: readonly number[], fill: Fill, random: () => number): string {
  let next = 0;
  const element = () => sampleElement(datatype, fill, next++, random);
  const nest = (depth: number): string => {
    const size = shape[depth] ?? 1;
    if (depth >= shape.length - 1) return `[${Array.from({ length: size }, element).join(", ")}]`;
    const rows = Array.from({ length: size }, () => nest(depth + 1));
    return rows.length === 1 ? `[${rows[0]}]` : `[\n${rows.join(",\n").replace(/^/gm, "  ")}\n]`;
  };
  return nest(0);
}

/** Small values: they are in every datatype's range, and mostly in that of a table that a model looks them up in. */
function sampleElement(datatype: string, fill: Fill, index: number, random: () => number): string {
  const number = fill === "zeros" ? 0 : fill === "ones" ? 1 : fill === "counting" ? index : random();
  if (datatype === "BOOL") return String(fill === "random" ? number < 0.5 : number % 2 === 1);
  if (datatype === "BYTES") return fill === "zeros" ? '""' : JSON.stringify(WORDS[wordIndex(fill, number)]);
  if (fill === "random") return datatype.startsWith("FP") ? number.toFixed(4) : String(Math.floor(number * 10));
  return String(datatype.endsWith("INT8") ? number % 128 : number % 2048);
}

const WORDS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"];

function wordIndex(fill: Fill, number: number): number {
  return fill === "random" ? Math.floor(number * WORDS.length) : number % WORDS.length;
}

/**
 * JSON with every integer kept: above 2^53 a number becomes a `bigint`, so that two INT64 values that differ stay different.
 * `NaN` and `Infinity`, which some servers write although JSON has no such words, become texts.
 *
 * @throws SyntaxError
 */
export function parseExact(text: string): unknown {
  try {
    return JSON.parse(text, keepIntegers);
  } catch (error) {
    const quoted = text.replace(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g, (found) =>
      found.startsWith('"') ? found : `"${found}"`,
    );
    if (quoted === text) throw error;
    return JSON.parse(quoted, keepIntegers);
  }
}

export function stringifyExact(value: unknown): string {
  return JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? rawJson(String(inner)) : inner));
}

/** ECMAScript proposal "JSON.parse source text access": the third argument, and `JSON.rawJSON`. */
function keepIntegers(this: unknown, _: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? "";
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}

function rawJson(text: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);
}

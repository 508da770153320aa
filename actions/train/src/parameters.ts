/** A parameter of a notebook, as JSON has it. */
export type Parameter =
  | string
  | number
  | boolean
  | null
  | readonly Parameter[]
  | { readonly [name: string]: Parameter };

export type Parameters = Readonly<Record<string, Parameter>>;

/** The parameters, or a sentence that says what is wrong with them. Names must be names of Python variables. */
export function parseParameters(text: string): Parameters | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return `expected a JSON object: ${(error as Error).message}`;
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) return "expected a JSON object";
  const wrong = Object.keys(value).find((name) => !/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name));
  return wrong === undefined ? (value as Parameters) : `'${wrong}' is no name of a Python variable`;
}

/**
 * Parameters as papermill reads them: YAML 1.1, in which JSON is not quite contained. A number such as 1e-5 needs a point
 * and a sign to be a number (YAML 1.1, "float"), and characters beyond ASCII are escaped, since PyYAML refuses some.
 */
export function toYaml(value: Parameter): string {
  if (typeof value === "string") return quote(value);
  if (typeof value === "number") return formatNumber(value);
  if (value === null || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return `[${value.map(toYaml).join(", ")}]`;
  const pairs = Object.entries(value).map(([name, inner]) => `${quote(name)}: ${toYaml(inner)}`);
  return `{${pairs.join(", ")}}`;
}

function quote(text: string): string {
  const escaped = (character: string) => {
    const point = (character.codePointAt(0) ?? 0).toString(16);
    return point.length > 4 ? `\\U${point.padStart(8, "0")}` : `\\u${point.padStart(4, "0")}`;
  };
  return JSON.stringify(text).replace(/[^\u0020-\u007e]/gu, escaped);
}

function formatNumber(value: number): string {
  const text = String(value);
  if (!text.includes("e")) return text;
  const [mantissa = "", exponent = ""] = text.split("e");
  return `${mantissa.includes(".") ? mantissa : `${mantissa}.0`}e${exponent}`;
}

/** A parameter as MLflow keeps it: as Python would print it, so that it agrees with what a notebook logs itself. */
export function toPython(value: Parameter): string {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "True" : "False";
  return value === null ? "None" : JSON.stringify(value);
}

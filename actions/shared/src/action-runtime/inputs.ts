import * as z from "zod";
import { ActionError } from "./error.ts";

/** The environment variable in which the runner hands over an input. Source: actions/toolkit, core.getInput. */
export function inputVariable(name: string): string {
  return `INPUT_${name.replaceAll(" ", "_").toUpperCase()}`;
}

/** An action's inputs: kebab-case names as in `action.yml`, each with the schema that reads its text. */
export type InputSchemas = Record<string, z.ZodType>;

export type Inputs<S extends InputSchemas> = { readonly [K in keyof S]: z.output<S[K]> };

/**
 * Reads every input once into one typed object. An empty text counts as absent, as it does for the runner.
 *
 * @throws ActionError `INPUT_INVALID` that names every input that is missing or malformed, not only the first.
 */
export function readInputs<S extends InputSchemas>(
  schemas: S,
  environment: Readonly<Record<string, string | undefined>>,
): Inputs<S> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(schemas)) {
    const text = environment[inputVariable(name)]?.trim();
    const given = text === undefined || text === "" ? undefined : text;
    const parsed = schema.safeParse(given);
    if (parsed.success) values[name] = parsed.data;
    else problems.push(describeProblem(name, given, schema, parsed.error));
  }
  if (problems.length > 0)
    throw new ActionError("INPUT_INVALID", {
      message: problems.join("; "),
      remedy: "correct `with:` of this step; the action's README lists each input with its form and default",
    });
  return values as Inputs<S>;
}

function describeProblem(name: string, given: string | undefined, schema: z.ZodType, error: z.ZodError): string {
  if (given === undefined) return `input '${name}' is required and was not given`;
  const shown = isSecret(schema) ? "(secret)" : `'${given.length > 80 ? `${given.slice(0, 77)}...` : given}'`;
  return `input '${name}' is ${shown}: ${error.issues.map((issue) => issue.message).join(", ")}`;
}

const secrets = z.registry<{ readonly secret: true }>();

/** Whether the input's value must never be shown; also where the schema was refined, defaulted or transformed since. */
export function isSecret(schema: z.core.$ZodType): boolean {
  if (secrets.get(schema)?.secret) return true;
  const { def } = schema._zod as { def: { innerType?: z.core.$ZodType; in?: z.core.$ZodType } };
  const inner = def.innerType ?? def.in;
  return inner !== undefined && isSecret(inner);
}

/** Some text. */
export const text = () => z.string();

/** A text that must never be shown; the runtime masks it and its parts before anything else happens. */
export const secret = () => z.string().optional().register(secrets, { secret: true });

/** `true` or `false`, in the forms of YAML 1.2's core schema that `core.getBooleanInput` takes. */
export const flag = (fallback: boolean) =>
  z
    .enum(["true", "True", "TRUE", "false", "False", "FALSE"], { error: "expected true or false" })
    .optional()
    .transform((value) => (value === undefined ? fallback : value.toLowerCase() === "true"));

/** One of a few words. */
export const choice = <const T extends readonly [string, ...string[]]>(words: T, fallback: T[number]) =>
  z
    .enum(words, { error: `expected one of ${words.join(", ")}` })
    .optional()
    .transform((value) => value ?? fallback);

/** Lines of text without the empty ones, such as file names. */
export const lines = () =>
  z
    .string()
    .optional()
    .transform((value) =>
      (value ?? "")
        .split(/\r?\n/)
        .map((line) => line.trim())
        .filter((line) => line !== ""),
    );

const durationUnits = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** A job may run for five days at most; a timer of more than 24 would end at once. */
const longestDuration = 5 * 24 * durationUnits.h;

/** Milliseconds of a duration such as `250ms`, `30s`, `5m` or `1h`, at most `120h`; undefined for anything else. */
export function parseDuration(value: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(value.trim());
  if (!match) return undefined;
  const milliseconds = Number(match[1]) * durationUnits[match[2] as keyof typeof durationUnits];
  return milliseconds <= longestDuration ? milliseconds : undefined;
}

/** A duration such as `90s`, in milliseconds. */
export const duration = (fallback: string) =>
  z
    .string()
    .optional()
    .transform((value, context) => {
      const milliseconds = parseDuration(value ?? fallback);
      if (milliseconds !== undefined) return milliseconds;
      context.addIssue("expected a duration such as 250ms, 30s or 5m, at most 120h");
      return z.NEVER;
    });

/** A number within bounds. */
export const number = (options: { min: number; max: number; fallback?: number }) =>
  z
    .string()
    .optional()
    .transform((value, context) => {
      const parsed = value === undefined ? options.fallback : Number(value);
      if (parsed !== undefined && parsed >= options.min && parsed <= options.max) return parsed;
      context.addIssue(`expected a number from ${options.min} to ${options.max}`);
      return z.NEVER;
    });

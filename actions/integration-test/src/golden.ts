import { readFile } from "node:fs/promises";
import * as z from "zod";
import { ActionError } from "../../shared/src/action-runtime/error.ts";
import { parseExact } from "./exact-json.ts";
import { readTensor, type Tensor } from "./tensor.ts";

/** A request with the outputs that the training framework gave for it. */
export interface GoldenCase {
  readonly name: string;
  /** Body of the inference request. */
  readonly request: { readonly inputs: readonly unknown[] };
  readonly expected: readonly Tensor[];
}

const tensor = z.unknown().transform((value, context) => {
  const read = readTensor(value);
  if (typeof read !== "string") return read;
  context.addIssue(read);
  return z.NEVER;
});

const schema = z.object({
  version: z.literal(1),
  model: z.string().min(1),
  cases: z
    .array(
      z.object({
        name: z.string().min(1),
        request: z.looseObject({ inputs: z.array(z.unknown()).min(1) }),
        expected: z.object({ outputs: z.array(tensor).min(1) }),
      }),
    )
    .min(1, "there are no cases"),
});

/** Reads golden cases. @throws ActionError `GOLDEN_INVALID` */
export async function readGoldenCases(path: string, shown: string): Promise<readonly GoldenCase[]> {
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw invalid(shown, `it cannot be read (${cause.code})`, cause);
  });
  return parseGoldenCases(text, shown);
}

/** Throws as `readGoldenCases` does. */
export function parseGoldenCases(text: string, shown: string): readonly GoldenCase[] {
  let value: unknown;
  try {
    value = parseExact(text);
  } catch (cause) {
    throw invalid(shown, `it is not JSON: ${(cause as Error).message}`, cause);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(shown, `${issue?.path.join(".")}: ${issue?.message}`, parsed.error);
  }
  const cases = parsed.data.cases.map(({ name, request, expected }) => ({ name, request, expected: expected.outputs }));
  const twice = cases.find(({ name }, index) => cases.findIndex((other) => other.name === name) !== index);
  if (twice) throw invalid(shown, `two cases are named '${twice.name}'`);
  return cases;
}

function invalid(file: string, why: string, cause?: unknown): ActionError {
  return new ActionError("GOLDEN_INVALID", {
    message: `the golden cases in ${file} cannot be used: ${why}`,
    remedy: "write version 1 of the format that the action's README describes, with at least one case",
    cause,
  });
}

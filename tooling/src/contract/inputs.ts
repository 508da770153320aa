import { isDeepStrictEqual } from "node:util";
import type { InputSchemas } from "../../../actions/shared/src/action-runtime/inputs.ts";
import { isSecret } from "../../../actions/shared/src/action-runtime/inputs.ts";
import type { ActionInput } from "./action-file.ts";

/**
 * Where an `action.yml` and the schemas that read the inputs disagree, one sentence each; none when they are in step.
 *
 * In step means: the same names; an input is `required` exactly when its schema refuses an absent value and `action.yml`
 * gives no default; a default is a text that the schema takes; and where the schema has a default of its own, both mean the
 * same value. A schema without one may take an empty text for "none", which a workflow can say instead of the default.
 */
export function compareInputs(declared: Readonly<Record<string, ActionInput>>, schemas: InputSchemas): string[] {
  const names = [...new Set([...Object.keys(declared), ...Object.keys(schemas)])];
  return names.flatMap((name) => {
    const input = declared[name];
    const schema = schemas[name];
    if (!input) return [`input '${name}' is in inputs.ts, not in action.yml`];
    if (!schema) return [`input '${name}' is in action.yml, not in inputs.ts`];
    return compareInput(name, input, schema);
  });
}

function compareInput(name: string, input: ActionInput, schema: InputSchemas[string]): string[] {
  const problems: string[] = [];
  const fallback = input.default === undefined || input.default === "" ? undefined : input.default;
  const absent = schema.safeParse(undefined);
  if (input.required && input.default !== undefined) problems.push(`input '${name}' is required and has a default`);
  if (input.required && absent.success)
    problems.push(`input '${name}' is required in action.yml, but inputs.ts takes an absent value`);
  if (!input.required && fallback === undefined && !absent.success)
    problems.push(
      `input '${name}' is not required and has no default in action.yml, but inputs.ts refuses an absent value`,
    );
  if (fallback !== undefined) {
    const given = schema.safeParse(fallback);
    if (isSecret(schema)) problems.push(`input '${name}' is a secret and has a default`);
    if (!given.success) problems.push(`input '${name}' has the default '${fallback}', which inputs.ts refuses`);
    else if (absent.success && isDefaulted(absent.data) && !isDeepStrictEqual(given.data, absent.data))
      problems.push(
        `input '${name}' has the default '${fallback}' in action.yml, but ${JSON.stringify(absent.data)} in inputs.ts`,
      );
  } else if (absent.success && isDefaulted(absent.data)) {
    problems.push(
      `input '${name}' has the default ${JSON.stringify(absent.data)} in inputs.ts, but none in action.yml`,
    );
  }
  return problems;
}

/** Whether a schema made something of an absent value; an empty list is what no lines are. */
function isDefaulted(value: unknown): boolean {
  return value !== undefined && !(typeof value === "object" && value !== null && Object.keys(value).length === 0);
}

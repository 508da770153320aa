import { type Inputs, lines, text } from "../../shared/src/action-runtime/inputs.ts";
import { mlflowInputs } from "../../shared/src/mlflow/connection.ts";

/** MLflow's own rule: mlflow/utils/validation.py, _validate_model_name. Quotes cannot be searched for. */
const modelName = text()
  .max(250)
  .regex(/^[^/:'"]+$/, "expected a name without / : and quotes");

/** MLflow's own rule: mlflow/utils/validation.py, _validate_model_alias_name. */
const aliasName = text()
  .max(255)
  .regex(/^[\w-]+$/, "expected letters, digits, _ and -")
  .refine((name) => !/^(v\d+|latest)$/i.test(name), "MLflow reserves v<number> and latest");

const tags = lines().transform((given, context) => {
  const record: Record<string, string> = {};
  for (const line of given) {
    const [, key, value] = /^([\w.\-/ ]{1,250}?)\s*=\s*(.*)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) record[key] = value;
    else context.addIssue(`expected lines of key=value, not '${line.slice(0, 80)}'`);
  }
  return record;
});

export const inputs = {
  "run-id": text().regex(/^[a-zA-Z0-9][\w-]{0,255}$/, "expected the id of an MLflow run"),
  artifact: text()
    .optional()
    .transform((path) => path?.replace(/\/+$/, "") ?? "model"),
  model: modelName,
  alias: aliasName.optional().transform((name) => name ?? "challenger"),
  tags,
  description: text().optional(),
  ...mlflowInputs,
};

export type RegisterInputs = Inputs<typeof inputs>;

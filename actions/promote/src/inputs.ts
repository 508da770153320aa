import { choice, type Inputs, lines, secret, text } from "../../shared/src/action-runtime/inputs.ts";
import { type Stage, stages } from "../../shared/src/evidence/statement.ts";
import { mlflowInputs } from "../../shared/src/mlflow/connection.ts";

export const inputs = {
  operation: choice(["verify", "nominate", "record", "find"], "verify"),
  image: text().optional(),
  repository: text(),
  tag: text()
    .regex(/^\w[\w.-]{0,127}$/, "expected a tag: letters, digits, _, . and -, at most 128")
    .optional(),
  require: lines().transform((names, context) => {
    const unknown = names.filter((name) => !stages.includes(name as Stage));
    if (unknown.length > 0) context.addIssue(`no stage is called ${unknown.join(", ")}; stages: ${stages.join(", ")}`);
    return names as Stage[];
  }),
  "evidence-environment": text().default("staging"),
  environment: text().default("production"),
  model: text().optional(),
  alias: text().optional(),
  ...mlflowInputs,
  "mlflow-tracking-uri": mlflowInputs["mlflow-tracking-uri"].optional(),
  "registry-username": text().optional(),
  "registry-password": secret(),
};

export type PromoteInputs = Inputs<typeof inputs>;

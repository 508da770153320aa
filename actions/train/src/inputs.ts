import { duration, type Inputs, text } from "../../shared/src/action-runtime/inputs.ts";
import { mlflowInputs } from "../../shared/src/mlflow/connection.ts";
import { type Parameters, parseParameters } from "./parameters.ts";

const parameters = text()
  .optional()
  .transform((given, context): Parameters => {
    const parsed = parseParameters(given ?? "{}");
    if (typeof parsed !== "string") return parsed;
    context.addIssue(parsed);
    return {};
  });

export const inputs = {
  notebook: text().endsWith(".ipynb", "expected a Jupyter notebook (.ipynb)"),
  requirements: text().optional(),
  parameters,
  python: text()
    .optional()
    .transform((command) => command ?? "python3"),
  timeout: duration("30m"),
  experiment: text().max(500, "MLflow allows at most 500 characters"),
  artifact: text()
    .optional()
    .transform((path) => path?.replace(/\/+$/, "") ?? "model"),
  ...mlflowInputs,
};

export type TrainInputs = Inputs<typeof inputs>;

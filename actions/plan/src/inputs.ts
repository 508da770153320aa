import { choice, type Inputs, text } from "../../shared/src/action-runtime/inputs.ts";

export const inputs = {
  operation: choice(["pipeline", "promote", "rollback"], "pipeline"),
  descriptor: text().refine(
    (path) => !path.startsWith("/") && !path.split("/").includes(".."),
    "expected a path inside the repository",
  ),
  registry: text().optional(),
  "mlflow-tracking-uri": text().optional(),
};

export type PlanInputs = Inputs<typeof inputs>;

import { type Inputs, number, text } from "../../shared/src/action-runtime/inputs.ts";
import { mlflowInputs } from "../../shared/src/mlflow/connection.ts";
import { isDigest } from "../../shared/src/oci/digest.ts";

export const inputs = {
  model: text().optional(),
  version: text()
    .regex(/^[1-9]\d*$/, "expected the number of a version")
    .optional(),
  "run-id": text()
    .regex(/^[a-zA-Z0-9][\w-]{0,255}$/, "expected the id of an MLflow run")
    .optional(),
  artifact: text()
    .optional()
    .transform((path) => path?.replace(/\/+$/, "") ?? "model"),
  path: text(),
  "files-digest": text().refine(isDigest, "expected sha256: and 64 hexadecimal digits").optional(),
  "max-size": number({ min: 1, max: 1_000_000, fallback: 10_000 }),
  ...mlflowInputs,
};

export type DownloadInputs = Inputs<typeof inputs>;

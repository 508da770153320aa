import * as z from "zod";
import { parseDuration } from "../action-runtime/inputs.ts";
import { stages } from "../evidence/statement.ts";

/** Milliseconds, written as `250ms`, `30s` or `5m`. */
const duration = z
  .string()
  .regex(/^\d+(\.\d+)?(ms|s|m|h)$/, "expected a duration such as 250ms, 30s or 5m")
  .refine((value) => parseDuration(value) !== undefined, "expected a duration of at most 120h")
  .describe("A duration such as 250ms, 30s or 5m");

/** A share from 0 to 1, written as a percentage. */
const percentage = z
  .string()
  .regex(/^(100|\d{1,2})(\.\d+)?%$/, "expected a percentage such as 0.1%")
  .describe("A percentage such as 0.1%");

/** A path below the folder of the descriptor; nothing outside the checkout can be named. */
const path = z
  .string()
  .min(1)
  .refine(
    (value) => !value.startsWith("/") && !value.split("/").includes(".."),
    "expected a path inside the repository",
  )
  .describe("A path relative to the descriptor's folder");

/** RFC 1123 label, as Kubernetes wants names of namespaces and releases. */
const kubernetesName = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?$/, "expected lower-case letters, digits and -, at most 53 characters");

const environment = z.strictObject({
  namespace: kubernetesName.describe("Namespace of the release"),
  values: path.optional().describe("Helm values of this environment, over those of `deploy`"),
});

const severity = z.enum(["negligible", "low", "medium", "high", "critical"]);

/** `model-pipeline.yaml`, as a person writes it. */
export const descriptorSchema = z.strictObject({
  apiVersion: z.literal("mlops-actions/v1").describe("Version of this format"),
  name: kubernetesName.describe("The model's name; default of every name below"),
  train: z
    .strictObject({
      notebook: path.describe("Jupyter notebook that papermill runs; it logs to MLflow"),
      requirements: path.optional().describe("Python packages of the notebook, in pip's format"),
      parameters: z
        .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
        .default({})
        .describe("Parameters of the notebook"),
      timeout: duration.default("30m").describe("How long the notebook may run"),
    })
    .optional()
    .describe("Training. Without it the image's context must hold the model"),
  mlflow: z
    .strictObject({
      experiment: z.string().min(1).optional().describe("Default: the model's name"),
      model: z.string().min(1).optional().describe("Registered model. Default: the model's name"),
      artifact: path.default("model").describe("Folder of the run's artifacts that holds the model"),
    })
    .optional()
    .describe("Model registry. Needed by `train`"),
  image: z
    .strictObject({
      repository: z.string().min(1).describe("Name below the registry that vars.REGISTRY names, or a whole name"),
      context: path.default("."),
      dockerfile: path.default("Dockerfile"),
      model: path
        .default("model")
        .describe("Folder in the context where the model's files are placed before the build"),
      scan: z
        .strictObject({
          failOn: severity.default("critical").describe("Lowest severity that stops the pipeline"),
          ignore: z
            .array(z.string())
            .default([])
            .describe("Vulnerability ids that are accepted, such as CVE-2021-44906"),
        })
        .prefault({}),
    })
    .describe("The image that is built, scanned and deployed"),
  deploy: z
    .strictObject({
      chart: z
        .string()
        .min(1)
        .default("model-server")
        .describe("`model-server` (comes with the actions), a path in the repository, or oci://…"),
      chartVersion: z.string().optional().describe("Version of an oci:// chart"),
      release: kubernetesName.optional().describe("Helm release. Default: the model's name"),
      values: path.optional().describe("Helm values of every environment"),
      repositoryKey: z
        .string()
        .default("image.repository")
        .describe("The chart's value that takes the image's repository"),
      digestKey: z.string().default("image.digest").describe("The chart's value that takes the image's digest"),
      timeout: duration.default("5m").describe("How long a rollout may take"),
    })
    .optional()
    .describe("Deployment with Helm"),
  environments: z
    .strictObject({ staging: environment.optional(), production: environment.optional() })
    .prefault({})
    .describe("Where `deploy` goes; the keys are also the names of the GitHub environments"),
  test: z
    .strictObject({
      protocol: z.enum(["open-inference", "http"]).default("open-inference"),
      model: z.string().optional().describe("The model's name in the protocol. Default: the model's name"),
      service: z
        .string()
        .optional()
        .describe("Kubernetes Service of the endpoint. Default: the only one of the release"),
      port: z.number().int().min(1).max(65_535).optional().describe("Port of the Service. Default: its first"),
      readyPath: z
        .string()
        .startsWith("/")
        .optional()
        .describe("Path that answers 200 when ready. Default: the protocol's"),
      golden: path.optional().describe("Golden cases: requests with the outputs that the training framework gave"),
      tolerance: z
        .strictObject({ rtol: z.number().min(0).default(1e-3), atol: z.number().min(0).default(1e-5) })
        .prefault({})
        .describe("An output passes when |actual - expected| <= atol + rtol * |expected|"),
      load: z
        .strictObject({
          rate: z
            .number()
            .min(0.1)
            .max(10_000)
            .default(20)
            .describe("Requests a second, sent whether answers come or not"),
          duration: duration.default("10s"),
          p99: duration.default("1s").describe("Highest allowed latency of 99 % of the requests"),
          errors: percentage.default("0%").describe("Highest allowed share of failed requests"),
        })
        .optional()
        .describe("A short open-loop load"),
    })
    .optional()
    .describe("Tests of the deployed model"),
  promotion: z
    .strictObject({
      require: z
        .array(z.enum(stages))
        .min(1, "expected at least one stage: production asks for evidence")
        .default(["build-scan", "helm-deploy", "integration-test"]),
      alias: z.string().min(1).default("champion").describe("MLflow alias of the version in production"),
    })
    .prefault({})
    .describe("What a digest needs before it goes to production"),
});

/** A whole descriptor, with its defaults. */
export type Descriptor = z.output<typeof descriptorSchema>;

/** Milliseconds of a duration that the schema accepted. */
export function milliseconds(accepted: string): number {
  return parseDuration(accepted) ?? Number.NaN;
}

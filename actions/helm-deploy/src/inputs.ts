import { choice, duration, type Inputs, lines, secret, text } from "../../shared/src/action-runtime/inputs.ts";

const kubernetesName = () =>
  text().regex(
    /^[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?$/,
    "expected lower-case letters, digits and -, at most 53 characters",
  );

const valueKey = () => text().regex(/^[\w.\\-]+$/, "expected a key of the chart's values, such as image.digest");

export const inputs = {
  operation: choice(["deploy", "rollback"], "deploy"),
  image: text().optional(),
  chart: text().default("model-server"),
  "chart-version": text().optional(),
  release: kubernetesName(),
  namespace: kubernetesName(),
  environment: text(),
  values: lines(),
  set: lines(),
  "repository-key": valueKey().default("image.repository"),
  "digest-key": valueKey().default("image.digest"),
  revision: text()
    .regex(/^[1-9]\d*$/, "expected the number of a revision, as `helm history` lists them")
    .transform(Number)
    .optional(),
  "model-version": text().optional(),
  timeout: duration("5m"),
  kubeconfig: secret(),
  context: text().optional(),
  "registry-username": text().optional(),
  "registry-password": secret(),
};

export type HelmDeployInputs = Inputs<typeof inputs>;

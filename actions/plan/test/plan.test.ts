import { describe, expect, it } from "vitest";
import { readDescriptor } from "../../shared/src/descriptor/read.ts";
import { makePlan } from "../src/plan.ts";

const minimal = `
apiVersion: mlops-actions/v1
name: digits
image: { repository: digits }
`;

const whole = `
apiVersion: mlops-actions/v1
name: digits
train: { notebook: train.ipynb, parameters: { seed: 7 } }
mlflow: {}
image: { repository: digits }
deploy: { values: deploy/values.yaml }
environments:
  staging: { namespace: digits-staging, values: deploy/staging.yaml }
  production: { namespace: digits }
test: { golden: model/golden.json }
`;

const plan = (text: string, descriptor = "model-pipeline.yaml") =>
  makePlan(readDescriptor(text, descriptor), {
    descriptor,
    registry: "ghcr.io/Acme",
    "mlflow-tracking-uri": "http://127.0.0.1:5000",
  });

describe("makePlan", () => {
  it("runs every stage of a whole descriptor", () => {
    const { stages, run } = plan(whole);
    expect(stages.every(({ runs }) => runs)).toBe(true);
    expect(run).toEqual({
      train: true,
      register: true,
      build: true,
      deployStaging: true,
      test: true,
      deployProduction: true,
    });
  });

  it("skips what the descriptor leaves out, and says which key is missing", () => {
    const skipped = plan(minimal).stages.filter(({ runs }) => !runs);
    expect(skipped.map(({ stage, reason }) => `${stage}: ${reason}`)).toEqual([
      "train: the descriptor has no 'train'",
      "register: the descriptor has no 'mlflow'",
      "deployStaging: the descriptor has no 'deploy'",
      "test: the descriptor has no 'test'",
      "deployProduction: the descriptor has no 'deploy'",
    ]);
  });

  it("asks for no evidence of a stage that cannot run", () => {
    expect(plan(minimal).promotion.require).toBe("build-scan");
  });

  it("puts the registry, in lower case, in front of a bare repository", () => {
    expect(plan(minimal).image.repository).toBe("ghcr.io/acme/digits");
  });

  it("keeps a repository that names its registry", () => {
    const text = minimal.replace("repository: digits", "repository: localhost:5000/team/digits");
    expect(plan(text).image.repository).toBe("localhost:5000/team/digits");
  });

  it("makes every path relative to the workspace when the descriptor lies in a folder", () => {
    const made = plan(whole, "models/digits/model-pipeline.yaml");
    expect(made.train.notebook).toBe("models/digits/train.ipynb");
    expect(made.image.dockerfile).toBe("models/digits/Dockerfile");
    expect(made.staging.values).toBe("models/digits/deploy/values.yaml\nmodels/digits/deploy/staging.yaml");
    expect(made.test.golden).toBe("models/digits/model/golden.json");
  });

  it("names the variable to set when no registry is given", () => {
    const without = () =>
      makePlan(readDescriptor(minimal, "f"), {
        descriptor: "f",
        registry: undefined,
        "mlflow-tracking-uri": undefined,
      });
    expect(without).toThrow(
      expect.objectContaining({ code: "PLAN_INCOMPLETE", remedy: expect.stringContaining("REGISTRY") }),
    );
  });
});

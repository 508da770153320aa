import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseWorkflowFile } from "../../src/check/github-parser.ts";
import { inRepository, listReusableWorkflows, repositoryName } from "../../src/repository/repository.ts";

// What the lab's runner does not know, or does not heed, and GitHub does: held here, on the form that GitHub reads.

interface Job {
  readonly uses?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly environment?: string;
  readonly concurrency?: { readonly group: string; readonly queue?: string; readonly "cancel-in-progress"?: boolean };
  readonly "timeout-minutes"?: number;
  readonly steps?: readonly {
    readonly uses?: string;
    readonly run?: string;
    readonly with?: Record<string, unknown>;
  }[];
}

const read = async (path: string) => readFileSync(inRepository(path), "utf8");
const files = listReusableWorkflows().map((name) => {
  const text = readFileSync(inRepository(".github", "workflows", name), "utf8");
  return { name, text, workflow: parse(text) as { permissions: unknown; jobs: Record<string, Job> } };
});
const jobs = files.flatMap(({ name, workflow }) =>
  Object.entries(workflow.jobs).map(([id, job]) => ({ place: `${name}: ${id}`, job, text: JSON.stringify(job) })),
);
const ownSteps = jobs.filter(({ job }) => job.steps !== undefined);
const deploying = ownSteps.filter(({ text }) => text.includes("$/actions/helm-deploy"));

describe("the rendered workflows", () => {
  it.each(files)("$name is whole for GitHub's own parser", async ({ name, text }) => {
    expect(await parseWorkflowFile(name, text, repositoryName, read)).toEqual([]);
  });

  it("give a job nothing that it does not ask for", () => {
    for (const { workflow } of files) expect(workflow.permissions).toEqual({});
    for (const { place, job } of jobs) {
      expect(job.permissions, place).toBeDefined();
      for (const [scope, right] of Object.entries(job.permissions ?? {}))
        expect(["contents: read", "packages: write"], place).toContain(`${scope}: ${right}`);
    }
  });

  it("deploy from a job that names its environment and waits in a queue that drops nobody", () => {
    expect(deploying.map(({ place }) => place)).toEqual([
      "model-pipeline.yml: staging",
      "model-promote.yml: production",
      "model-rollback.yml: production",
    ]);
    for (const { place, job } of deploying) {
      const environment = place.split(": ")[1];
      expect(job.environment, place).toBe(environment);
      expect(job.concurrency, place).toMatchObject({ queue: "max", "cancel-in-progress": false });
      expect(job.concurrency?.group, place).toMatch(new RegExp(`^${environment}-`));
    }
  });

  it("show the kubeconfig to deploying jobs alone, and the builder no secret but the registry's and MLflow's", () => {
    const seeing = ownSteps.filter(({ text }) => text.includes("secrets.KUBECONFIG")).map(({ place }) => place);
    expect(seeing).toEqual(deploying.map(({ place }) => place));
  });

  it("give a pull request no secret of the registry or of an environment, and no right to write", () => {
    const { text, workflow } = files.find(({ name }) => name === "model-pull-request.yml") ?? {
      text: "",
      workflow: { jobs: {} },
    };
    expect(text).toContain("secrets.MLFLOW_TRACKING_TOKEN");
    expect(text).not.toMatch(/secrets\.(?!MLFLOW_)/);
    for (const job of Object.values(workflow.jobs)) expect(JSON.stringify(job.permissions)).not.toContain("write");
  });

  it("let no text reach a shell, end in time, and pin what is not ours by commit", () => {
    for (const { place, job } of ownSteps) {
      expect(job["timeout-minutes"], place).toBeGreaterThan(0);
      for (const step of job.steps ?? []) {
        expect(step.run, place).toBeUndefined();
        expect(step.uses, place).toMatch(/^(\$\/actions\/[a-z-]+|[\w.-]+\/[\w.-]+@[0-9a-f]{40})$/);
      }
    }
  });
});

import { readFileSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { type Lab, openLab, stepLogs } from "../../lab/src/lab.ts";
import { Progress } from "../../lab/src/progress/progress.ts";
import { askForDigit, exampleDigit } from "../src/endpoint.ts";
import type { PipelineOptions } from "../src/options.ts";
import { allPassed, type PipelineReport } from "../src/report.ts";
import { kubeconfigSecret } from "../src/request.ts";
import { runPipeline } from "../src/run.ts";

// Each run is a whole workflow; the first one also installs the notebook's packages and builds the server's image.
vi.setConfig({ testTimeout: 1_200_000, hookTimeout: 1_200_000 });

const root = resolve(import.meta.dirname, "../..");
const { signal } = new AbortController();
const kubeconfigBefore = readIfThere(join(process.env.HOME ?? "", ".kube", "config"));
const dockerBefore = readIfThere(join(process.env.HOME ?? "", ".docker", "config.json"));
let lab: Lab;
let out: string;

beforeAll(async () => {
  const { name } = inject("lab");
  lab = await openLab({ name }, new Progress({ logs: stepLogs(name) }));
  out = await mkdtemp(join(tmpdir(), "pipeline-"));
});
afterAll(() => rmSync(out, { recursive: true, force: true }));

function run(options: Partial<PipelineOptions> = {}): Promise<PipelineReport> {
  return runPipeline({
    lab,
    options: {
      operation: "push",
      breakage: undefined,
      digest: undefined,
      lab: lab.name,
      cluster: undefined,
      verbose: false,
      ...options,
    },
    root,
    out,
    progress: new Progress({ logs: stepLogs(lab.name), output: { write: () => true } }),
    signal,
    listener: { started: () => undefined, ended: () => undefined, line: () => undefined },
  });
}

const log = () => readFileSync(join(out, "pipeline.log"), "utf8");
const verdicts = ({ stages }: PipelineReport) => Object.fromEntries(stages.map(({ name, verdict }) => [name, verdict]));
const reasonOf = ({ stages }: PipelineReport, stage: string) => stages.find(({ name }) => name === stage)?.reason;
const digestOf = (image: string) => image.split("@")[1] ?? "";

/** Which digest production runs, by the pods themselves. */
async function productionSees(report: PipelineReport) {
  return askForDigit(report.endpoints.production, signal);
}

describe("the example repository's workflow, on the lab's runner, registry, cluster and MLflow", () => {
  let first: PipelineReport;

  it("takes the model from commit to production, which sees the right digit", async () => {
    first = await run();
    expect(allPassed(first.stages), log()).toBe(true);
    expect(first.stages.map(({ name }) => name)).toEqual([
      "plan",
      "train",
      "register",
      "build and scan",
      "deploy staging",
      "test staging",
      "nominate",
      "verify evidence",
      "deploy production",
      "test production",
      "record promotion",
    ]);
    expect(digestOf(first.image)).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await productionSees(first)).toBe(exampleDigit.label);
    expect(await champion()).toBe(first.modelVersion);
  });

  it("writes the report that it shows", () => {
    expect(JSON.parse(readFileSync(join(out, "pipeline.json"), "utf8"))).toEqual(first);
  });

  it("keeps the kubeconfig out of everything that it writes", () => {
    const [, key = ""] = /client-key-data: (\S{20,})/.exec(kubeconfigSecret(lab)) ?? [];
    const lines = Buffer.from(key, "base64")
      .toString("utf8")
      .split("\n")
      .filter((line) => line.length > 20);
    expect(lines.length).toBeGreaterThan(2);
    for (const secret of [key, ...lines]) expect(log()).not.toContain(secret);
  });

  it.each([
    ["model", "test staging", /golden case '.+': output '(label|probabilities)'/],
    [
      "image",
      "deploy staging",
      /crashed \d+ times with exit code 1; its last words: .*(\/srv\/models|model repository)/,
    ],
    [
      "dependency",
      "build and scan",
      /critical vulnerability .*CVE-2021-44906.* in minimist 1\.2\.5.*nothing was pushed/,
    ],
  ] as const)("stops a broken %s at '%s', and production keeps answering", async (breakage, stage, reason) => {
    const report = await run({ breakage });
    expect(verdicts(report)[stage], log()).toBe("fail");
    expect(reasonOf(report, stage)).toMatch(reason);
    expect(verdicts(report)["deploy production"]).toBe("not reached");
    expect(await productionSees(report)).toBe(exampleDigit.label);
    expect(await champion()).toBe(first.modelVersion);
  });

  it("refuses to promote a digest that staging found wrong, however it is asked", async () => {
    const broken = await run({ breakage: "model" });
    const refused = await run({ operation: "promote", digest: digestOf(broken.image) });
    expect(verdicts(refused)).toMatchObject({ "verify evidence": "fail", "deploy production": "not reached" });
    expect(reasonOf(refused, "verify evidence")).toContain("failed integration-test");
    expect(await champion()).toBe(first.modelVersion);
  });

  it("promotes the newest digest that passed staging when none is named, though newer ones failed", async () => {
    const report = await run({ operation: "promote" });
    expect(allPassed(report.stages), log()).toBe(true);
    expect(report.image).toBe(first.image);
  });

  it("tells a pull request, and pushes, registers and deploys nothing", async () => {
    const before = await versions();
    const report = await run({ operation: "pull_request" });
    expect(allPassed(report.stages), log()).toBe(true);
    expect(report.image).toBe("");
    expect(await versions()).toBe(before);
  });

  it("rolls production back to what it served before, and the alias with it", async () => {
    const second = await run();
    expect(allPassed(second.stages), log()).toBe(true);
    expect(second.image).not.toBe(first.image);
    const report = await run({ operation: "rollback" });
    expect(allPassed(report.stages), log()).toBe(true);
    expect(report.image).toBe(first.image);
    expect(report.modelVersion).toBe(first.modelVersion);
    expect(await champion()).toBe(first.modelVersion);
    expect(await productionSees(report)).toBe(exampleDigit.label);
  });

  it("never touches the person's own configuration of kubectl and Docker", () => {
    expect(readIfThere(join(process.env.HOME ?? "", ".kube", "config"))).toBe(kubeconfigBefore);
    expect(readIfThere(join(process.env.HOME ?? "", ".docker", "config.json"))).toBe(dockerBefore);
  });
});

async function mlflow<T>(path: string): Promise<T> {
  const response = await fetch(`${lab.addresses.mlflow}/api/2.0/mlflow/${path}`);
  return (await response.json()) as T;
}

async function champion(): Promise<string | undefined> {
  const answer = await mlflow<{ model_version?: { version: string } }>(
    "registered-models/alias?name=digits&alias=champion",
  );
  return answer.model_version?.version;
}

async function versions(): Promise<number> {
  const answer = await mlflow<{ model_versions?: unknown[] }>("model-versions/search?max_results=100");
  return answer.model_versions?.length ?? 0;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { readStatements } from "../../shared/src/evidence/store.ts";
import { parseImageReference } from "../../shared/src/oci/reference.ts";
import { RegistryClient } from "../../shared/src/oci/registry.ts";
import { runAction, runnerFolders, startAction } from "../../shared/test/action-process.ts";
import { pushModelImage } from "../../shared/test/kubernetes/model-image.ts";

const { addresses, environment: machine } = inject("lab");
const chart = join(import.meta.dirname, "../../shared/test/kubernetes/chart");
const { workspace, environment: folders } = runnerFolders();
const environment = { ...machine, ...folders };
const namespace = `integration-test-${process.pid}`;
const repository = `${addresses.registry}/test/${namespace}`;
const images = { good: "", fragile: "" };
const context = addresses.kubernetes.context ? ["--context", addresses.kubernetes.context] : [];

const tool = (command: string, ...args: string[]) =>
  execFileSync(command, args, { encoding: "utf8", env: { ...process.env, ...machine } });

function install(release: string, image: string, replicas = 1): void {
  const { digest } = parseImageReference(image);
  const kubeContext = addresses.kubernetes.context ? ["--kube-context", addresses.kubernetes.context] : [];
  const values = `image.repository=${repository},image.digest=${digest}`;
  const set = ["--set-string", values, "--set", `replicas=${replicas}`];
  tool(
    "helm",
    "upgrade",
    "--install",
    release,
    chart,
    "-n",
    namespace,
    "--create-namespace",
    "--wait",
    ...set,
    ...kubeContext,
  );
}

afterAll(() => {
  tool("kubectl", ...context, "delete", "namespace", namespace, "--wait=false");
});

beforeAll(async () => {
  images.good = await pushModelImage(repository, "good");
  images.fragile = await pushModelImage(repository, "fragile");
  install("double", images.good, 2);
  install("fragile", images.fragile);
});

function inputsOf(release: string, image: string, values: readonly number[], more: Record<string, string> = {}) {
  const cases = values.map((value) => ({
    name: `value ${value}`,
    request: { inputs: [{ name: "x", datatype: "FP32", shape: [1, 2], data: [value, 0] }] },
    expected: { outputs: [{ name: "y", datatype: "FP32", shape: [1, 2], data: [value * 2, 0] }] },
  }));
  writeFileSync(join(workspace, `${release}.json`), JSON.stringify({ version: 1, model: "double", cases }));
  return {
    image,
    environment: "staging",
    namespace,
    release,
    model: "double",
    golden: `${release}.json`,
    kubeconfig: readFileSync(addresses.kubernetes.kubeconfig, "utf8"),
    context: addresses.kubernetes.context,
    ...more,
  };
}

const newestEvidence = async (image: string) => {
  const reference = parseImageReference(image);
  return (await readStatements(new RegistryClient(reference), reference.digest)).at(-1)?.predicate;
};

describe("integration-test on a real cluster", () => {
  it("tests the live digest through a port-forward, and leaves evidence", async () => {
    const load = { rate: "50", duration: "2s", p99: "5s" };
    const { outputs, log } = await runAction(
      "integration-test",
      inputsOf("double", images.good, [1, 2], load),
      environment,
    );
    expect(outputs, log).toMatchObject({ verdict: "pass", cases: "2", requests: "100" });
    expect(await newestEvidence(images.good)).toMatchObject({
      stage: "integration-test",
      environment: "staging",
      verdict: "pass",
      details: { digestIsLive: true, cases: 2, failedCases: [], load: { requests: 100, answered: 100 } },
    });
  });

  it("does not test another digest than the one that was asked for", async () => {
    const inputs = inputsOf("double", images.fragile, [1], { timeout: "1s" });
    const { outputs, log } = await runAction("integration-test", inputs, environment);
    expect(outputs, log).toMatchObject({ verdict: "fail", code: "DIGEST_NOT_LIVE" });
    expect(await newestEvidence(images.fragile)).toMatchObject({
      verdict: "inconclusive",
      details: { code: "DIGEST_NOT_LIVE" },
    });
  });

  it("fails a server that ends under a test, and names the case", async () => {
    const { outputs, log } = await runAction(
      "integration-test",
      inputsOf("fragile", images.fragile, [1, 666]),
      environment,
    );
    expect(outputs, log).toMatchObject({ verdict: "fail", "failed-cases": "0" });
    expect(outputs.reason).toMatch(
      /server stays up: the server in pod fragile-\S+ ended with exit code 9 .* golden case 'value 666'$/,
    );
  });

  it("opens the port-forward again when its pod goes away under the load", async () => {
    const load = { rate: "40", duration: "5s", p99: "10s" };
    const action = startAction("integration-test", inputsOf("double", images.good, [1], load), environment);
    await action.printed("load: 40 requests a second");
    tool(
      "kubectl",
      ...context,
      "delete",
      "pods",
      "-l",
      "app=double",
      "-n",
      namespace,
      "--wait=false",
      "--grace-period=1",
    );
    const ended = await action.ended;
    expect(ended.log).toContain("broke; opening another one");
    expect(ended.outputs, ended.log).toMatchObject({ verdict: "pass", requests: "200" });
  });

  it("names what is there when it finds no Service or port", async () => {
    const nothing = await runAction("integration-test", inputsOf("none", images.good, [1]), environment);
    expect(nothing.outputs, nothing.log).toMatchObject({ verdict: "fail", code: "SERVICE_NOT_FOUND" });
    const port = await runAction("integration-test", inputsOf("double", images.good, [1], { port: "9" }), environment);
    expect(port.outputs.reason, port.log).toBe("Service double has no port 9; its ports: 80 (http)");
  });
});

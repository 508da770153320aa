import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { runAction, runnerFolders, startAction } from "../../shared/test/action-process.ts";

const fixture = join(import.meta.dirname, "../../shared/test/kubernetes/fixture/server.mjs");
const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});

/** The test server as a process; `mode` makes it misbehave. */
async function serve(mode = "good"): Promise<string> {
  const port = await freePort();
  const child = spawn(process.execPath, [fixture], { env: { PORT: String(port), MODE: mode } });
  started.push(child);
  await new Promise((resolve) => child.stdout.once("data", resolve));
  return `http://127.0.0.1:${port}`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const golden = (factor: number) => ({
  version: 1,
  model: "double",
  cases: [1, 2].map((value) => ({
    name: `value ${value}`,
    request: { inputs: [{ name: "x", datatype: "FP32", shape: [1, 2], data: [value, 0] }] },
    expected: { outputs: [{ name: "y", datatype: "FP32", shape: [1, 2], data: [value * factor, 0] }] },
  })),
});

async function test(inputs: Record<string, string>) {
  const { workspace, environment } = runnerFolders();
  writeFileSync(join(workspace, "golden.json"), JSON.stringify(golden(2)));
  return await runAction("integration-test", { model: "double", golden: "golden.json", ...inputs }, environment);
}

describe("integration-test as a process", () => {
  it("passes a model that keeps protocol, predictions and objectives", async () => {
    const endpoint = await serve();
    const load = { rate: "100", duration: "1s", p99: "5s" };
    const { exitCode, outputs, summary, log } = await test({ endpoint, ...load });
    expect(outputs, log).toMatchObject({
      verdict: "pass",
      cases: "2",
      "failed-cases": "0",
      requests: "100",
      "error-rate": "0",
    });
    expect(exitCode).toBe(0);
    expect(Number(outputs["p99-ms"])).toBeGreaterThan(0);
    expect(readFileSync(outputs.junit ?? "", "utf8")).toMatch(
      /<testsuites name="integration-test" tests="12" failures="0"/,
    );
    expect(summary).toContain("Load: 100 requests a second for 1 s");
  });

  it("fails one whose predictions differ, and says where", async () => {
    const { exitCode, outputs, log } = await test({ endpoint: await serve("wrong") });
    expect(outputs, log).toMatchObject({
      verdict: "fail",
      "failed-cases": "2",
      reason: "golden case 'value 1': output 'y' at [0, 0] is 2.1, expected 2 ± 0.00201 (and 1 more)",
    });
    expect(exitCode).toBe(1);
  });

  it("finds one that does not become ready inconclusive", async () => {
    const { outputs, log } = await test({ endpoint: await serve("unready"), timeout: "1s" });
    expect(outputs, log).toMatchObject({
      verdict: "inconclusive",
      reason: expect.stringContaining("did not answer 200 within 1 s, last: HTTP 503"),
      cases: "0",
    });
  });

  it("finds an address that nothing listens at inconclusive", async () => {
    const { outputs, log } = await test({ endpoint: `http://127.0.0.1:${await freePort()}`, timeout: "1s" });
    expect(outputs, log).toMatchObject({
      verdict: "inconclusive",
      reason: expect.stringContaining("connection was refused"),
    });
  });

  it("fails a server that speaks another protocol, and tests one by readiness and load alone when told to", async () => {
    const server = createServer((_, response) => response.end("hello"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const strict = await test({ endpoint });
      expect(strict.outputs, strict.log).toMatchObject({
        verdict: "fail",
        reason: expect.stringContaining(
          "conformance: server metadata has name, version and extensions: 'name' is not a text",
        ),
      });
      const load = { rate: "100", duration: "1s", p99: "5s" };
      const plain = await test({ endpoint, protocol: "http", golden: "", ...load });
      expect(plain.outputs, plain.log).toMatchObject({ verdict: "pass", cases: "0", requests: "100" });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it.each([
    [{}, "INPUT_INVALID", "neither 'endpoint' nor both"],
    [
      { endpoint: "http://127.0.0.1:1", golden: "none.json" },
      "GOLDEN_INVALID",
      "none.json cannot be used: it cannot be read",
    ],
    [{ endpoint: "http://127.0.0.1:1", timeout: "soon" }, "INPUT_INVALID", "expected a duration"],
    [{ namespace: "n", release: "r", kubeconfig: "nonsense" }, "KUBECONFIG_INVALID", "it is not a kubeconfig"],
  ])("refuses %j with %s", async (inputs, code, why) => {
    const { exitCode, outputs, log } = await test(inputs);
    expect(outputs, log).toMatchObject({ verdict: "fail", code, reason: expect.stringContaining(why) });
    expect(exitCode).toBe(1);
  });

  it("ends soon after the runner cancels it", async () => {
    const { workspace, environment } = runnerFolders();
    writeFileSync(join(workspace, "golden.json"), JSON.stringify(golden(2)));
    const inputs = { endpoint: await serve(), model: "double", golden: "golden.json", rate: "20", duration: "60s" };
    const action = startAction("integration-test", inputs, environment);
    await action.printed("load: 20 requests a second");
    action.interrupt();
    const { milliseconds, outputs } = await action.ended;
    expect(outputs).toMatchObject({ verdict: "inconclusive", code: "CANCELLED" });
    expect(milliseconds).toBeLessThan(3_000);
  });
});

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digestOf } from "../../shared/src/oci/digest.ts";
import { mediaTypes } from "../../shared/src/oci/manifest.ts";
import { runAction, runnerFolders } from "../../shared/test/action-process.ts";

const { workspace, environment } = runnerFolders();

/** A registry that has one image. */
const manifest = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, config: {}, layers: [] });
let server: Server;
let registry: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    const found = request.method === "GET" && request.url?.endsWith(digestOf(manifest));
    response.writeHead(found ? 200 : 404, { "content-type": mediaTypes.manifest }).end(found ? manifest : "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  registry = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const kubeconfig = (address: string) => `
clusters: [{ name: c, cluster: { server: "${address}" } }]
users: [{ name: u, user: { token: a-very-secret-token } }]
contexts: [{ name: c, context: { cluster: c, user: u } }]
current-context: c
`;

const least = {
  release: "digits",
  namespace: "staging",
  environment: "staging",
  kubeconfig: kubeconfig("http://127.0.0.1:1"),
};
const deploy = (inputs: Record<string, string>) =>
  runAction("helm-deploy", { ...least, ...inputs }, { ...environment, GITHUB_WORKSPACE: workspace });

describe("helm-deploy as a process", () => {
  it.each([
    [{ release: "" }, "INPUT_INVALID", "input 'release' is required and was not given"],
    [{ release: "No_Such" }, "INPUT_INVALID", "expected lower-case letters"],
    [{ image: "digits:latest" }, "IMAGE_NAME_INVALID", "'digits:latest' is not an image name with its registry"],
    [{ image: "ghcr.io/acme/digits@latest" }, "DIGEST_INVALID", "'latest' is not an image digest"],
    [{ operation: "promote" }, "INPUT_INVALID", "expected one of deploy, rollback"],
    [{ operation: "rollback", revision: "last" }, "INPUT_INVALID", "expected the number of a revision"],
    [{ kubeconfig: "clusters: [" }, "KUBECONFIG_INVALID", "it is not YAML"],
    [{ context: "production" }, "KUBECONFIG_INVALID", "it has no context 'production'; contexts: c"],
  ])("refuses %j with %s", async (inputs, code, why) => {
    const { exitCode, outputs, log } = await deploy(inputs);
    expect(outputs, log).toMatchObject({ verdict: "fail", code, reason: expect.stringContaining(why) });
    expect(outputs.remedy).not.toBe("");
    expect(exitCode).toBe(1);
  });

  it("refuses an image that the registry does not have", async () => {
    const { outputs, log } = await deploy({ image: `${registry}/digits@sha256:${"a".repeat(64)}` });
    expect(outputs, log).toMatchObject({ verdict: "fail", code: "IMAGE_NOT_FOUND" });
  });

  it("finds a registry that does not answer inconclusive", async () => {
    const { outputs, log } = await deploy({ image: `127.0.0.1:1/digits@${digestOf(manifest)}` });
    expect(outputs, log).toMatchObject({ verdict: "inconclusive", code: "REGISTRY_UNREACHABLE" });
  });

  it("refuses a chart that is not there", async () => {
    const { outputs, log } = await deploy({ image: `${registry}/digits@${digestOf(manifest)}`, chart: "deploy/chart" });
    expect(outputs, log).toMatchObject({ verdict: "fail", code: "CHART_NOT_FOUND" });
  });

  it("never prints the kubeconfig's token", async () => {
    const { log } = await deploy({ context: "production" });
    expect(log.replaceAll(/^::add-mask::.*$/gm, "")).not.toContain("a-very-secret-token");
  });
});

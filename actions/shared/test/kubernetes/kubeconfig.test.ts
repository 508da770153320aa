import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Redactor } from "../../src/action-runtime/redaction.ts";
import { openKubeconfig } from "../../src/kubernetes/kubeconfig.ts";

const key = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n";
const text = `apiVersion: v1
kind: Config
clusters: [{ name: c, cluster: { server: "https://cluster.example.com" } }]
users: [{ name: deployer, user: { token: abcdefgh-the-token, client-key-data: ${Buffer.from(key).toString("base64")} } }]
contexts: [{ name: staging, context: { cluster: c, user: deployer } }]
current-context: staging
`;

let folder: string;
let redactor: Redactor;
const open = (given: string | undefined, context?: string, environment: Record<string, string> = {}) =>
  openKubeconfig(
    { text: given, context },
    { redactor, environment: { RUNNER_TEMP: folder, HOME: folder, ...environment } },
  );

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubeconfig-test-"));
  redactor = new Redactor(() => undefined);
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("openKubeconfig", () => {
  it("writes a file for this user alone, and removes it when it is disposed of", async () => {
    const kubeconfig = await open(text);
    const path = kubeconfig.variables.KUBECONFIG ?? "";
    expect(readFileSync(path, "utf8")).toBe(text);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    kubeconfig[Symbol.dispose]();
    expect(existsSync(path)).toBe(false);
  });

  it("removes the file when the process exits before that", async () => {
    const { variables } = await open(text);
    const listeners = process.listeners("exit");
    (listeners.at(-1) as () => void)();
    expect(existsSync(variables.KUBECONFIG ?? "")).toBe(false);
  });

  it("takes base64 as well, with line breaks in it", async () => {
    const encoded = Buffer.from(text).toString("base64").replace(/.{76}/g, "$&\n");
    using kubeconfig = await open(encoded);
    expect(readFileSync(kubeconfig.variables.KUBECONFIG ?? "", "utf8")).toBe(text);
  });

  it("keeps token and private key, encoded or not, out of the log", async () => {
    using _ = await open(text);
    const said = redactor.redact(`Bearer abcdefgh-the-token, ${key}, ${Buffer.from(key).toString("base64")}`);
    expect(said).not.toMatch(/the-token|MIIEvQIB|BEGIN/);
  });

  it.each([
    ["clusters: [", "it is not YAML"],
    ["hello", "it is not a kubeconfig"],
    ["clusters: []", "it names no cluster"],
    ["clusters: [{ name: c }]", "it names no context"],
    ["{ clusters: [{ name: c }], contexts: [{ name: a }, { name: b }] }", "it sets no current-context; contexts: a, b"],
  ])("refuses %j", async (given, why) => {
    await expect(open(given)).rejects.toMatchObject({
      code: "KUBECONFIG_INVALID",
      message: expect.stringContaining(why),
    });
  });

  it("names the contexts that there are when the asked one is not among them", async () => {
    await expect(open(text, "production")).rejects.toThrow("it has no context 'production'; contexts: staging");
  });

  it("says where it looked when the runner has none", async () => {
    await expect(open(undefined)).rejects.toMatchObject({
      code: "KUBECONFIG_INVALID",
      message: expect.stringContaining(join(folder, ".kube", "config")),
    });
  });

  it("leaves the runner's own where it is, and keeps its fields out of the log", async () => {
    const path = join(folder, "own");
    writeFileSync(path, text);
    {
      using kubeconfig = await open(undefined, "staging", { KUBECONFIG: path });
      expect(kubeconfig.variables).toEqual({});
    }
    expect(existsSync(path)).toBe(true);
    expect(redactor.redact("abcdefgh-the-token")).toBe("***");
  });
});

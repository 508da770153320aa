import { describe, expect, it } from "vitest";
import { Redactor, secretParts } from "../../src/action-runtime/redaction.ts";

const kubeconfig = `apiVersion: v1
kind: Config
clusters:
  - name: staging
    cluster: { server: "https://10.0.0.1:6443", certificate-authority-data: TFMwdExTMUNSVWRKVGc= }
users:
  - name: deployer
    user:
      token: eyJhbGciOiJSUzI1NiJ9.payload
`;

describe("Redactor", () => {
  it("hides a single field of a kubeconfig that a tool prints by itself", () => {
    const redactor = new Redactor(() => undefined);
    redactor.add(kubeconfig);
    expect(redactor.redact("Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.payload")).toBe("Authorization: Bearer ***");
    expect(redactor.redact("ca TFMwdExTMUNSVWRKVGc=")).toBe("ca ***");
  });

  it("leaves ordinary words of a kubeconfig readable", () => {
    const redactor = new Redactor(() => undefined);
    redactor.add(kubeconfig);
    expect(redactor.redact("deploying to staging as deployer")).toBe("deploying to staging as deployer");
  });

  it.each([
    ["password: hunter2", "hunter2"],
    ["password: pa,ss{word}-long", "pa,ss{word}-long"],
    ["users: [{name: a, user: {token: abcd1234efgh, namespace: x}}]", "abcd1234efgh"],
    ['{"auths":{"ghcr.io":{"auth":"YWRhOnBhc3M="}}}', "YWRhOnBhc3M="],
    ["client-key-data: QUJDREVGRw==\nname: b", "QUJDREVGRw=="],
  ])("hides the secret field of %j", (text, value) => {
    const redactor = new Redactor(() => undefined);
    redactor.add(`kind: Config\n${text}`);
    expect(redactor.redact(`said ${value} aloud`)).not.toContain(value);
  });

  it("keeps a value that only names something, so that outputs with that word are not dropped", () => {
    const redactor = new Redactor(() => undefined);
    redactor.add("kind: Config\nenvironment:\n  value: production\nnamespace: digits-staging\ntoken: abcd1234\n");
    expect(redactor.redact("production in digits-staging")).toBe("production in digits-staging");
  });

  it("hides the private key of a JSON credential line by line", () => {
    const redactor = new Redactor(() => undefined);
    redactor.add(
      JSON.stringify({ type: "service_account", private_key: "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n" }),
    );
    expect(redactor.redact("line MIIEvQIBADANBg here")).toBe("line *** here");
  });

  it("hides the base64 and the URI-encoded form of a password", () => {
    const redactor = new Redactor(() => undefined);
    redactor.add("p@ss/word!");
    expect(redactor.redact(`${Buffer.from("p@ss/word!").toString("base64")} p%40ss%2Fword!`)).toBe("*** ***");
  });

  it("registers each part with the runner once", () => {
    const registered: string[] = [];
    const redactor = new Redactor((secret) => registered.push(secret));
    redactor.add("correct-horse");
    redactor.add("correct-horse");
    expect(registered.filter((secret) => secret === "correct-horse")).toHaveLength(1);
  });

  it("takes an empty or absent secret as none", () => {
    expect(secretParts("  ")).toEqual([]);
    const redactor = new Redactor(() => undefined);
    redactor.add(undefined);
    redactor.add("");
    expect(redactor.redact("text")).toBe("text");
  });
});

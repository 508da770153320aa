// needs: helm
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, it, vi } from "vitest";
import { additionModel } from "../../serving/test/onnx-file.ts";
import { temporaryFolder } from "../../serving/test/server-process.ts";
import { Release } from "./release.ts";
import { pushServerImages } from "./server-image.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 600_000 });

const { registry } = inject("lab").addresses;
const name = `test/chart-secured-${process.pid}`;
let digests: Record<"one", string>;
let release: Release;

beforeAll(async () => {
  digests = await pushServerImages(registry, name, { one: { "digits/1/model.onnx": additionModel([1, 1]) } });
  release = new Release("helm", `chart-secured-${process.pid}`);
});
afterAll(() => release.remove());

const image = () => `image.repository=${registry}/${name},image.digest=${digests.one},server.drainSeconds=0`;
const golden = {
  model: "digits",
  request: { inputs: [{ name: "x", datatype: "FP32", shape: [2], data: [1, 2] }] },
  outputs: [{ name: "y", datatype: "FP32", shape: [2], data: [2, 3] }],
};

function openssl(...args: readonly string[]): void {
  execFileSync("openssl", args, { stdio: "pipe" });
}

/** A new key with a certificate of that authority. */
function certificate(folder: string, file: string, subject: string): { readonly cert: string; readonly key: string } {
  const [cert, key] = [join(folder, `${file}.crt`), join(folder, `${file}.key`)];
  const made = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "2"];
  const authority = file === "ca" ? [] : ["-CA", join(folder, "ca.crt"), "-CAkey", join(folder, "ca.key")];
  const names = ["-subj", `/CN=${subject}`, "-addext", `subjectAltName=DNS:${subject}`];
  openssl("req", ...made, ...authority, ...names, "-out", cert, "-keyout", key);
  return { cert, key };
}

it("with TLS, client certificates and tokens it gets ready, and the test passes only with what clients need", async () => {
  const folder = temporaryFolder();
  const ca = certificate(folder, "ca", "ca");
  const server = certificate(folder, "server", `digits-model-server.${release.namespace}.svc`);
  const client = certificate(folder, "client", "client");
  const secret = (secretName: string, files: Readonly<Record<string, string>>) => {
    const flags = Object.entries(files).map(([key, file]) => `--from-file=${key}=${file}`);
    release.kubectl("create", "secret", "generic", secretName, ...flags);
  };
  writeFileSync(join(folder, "tokens"), "correct-horse\nbattery-staple\n");
  secret("server", { "tls.crt": server.cert, "tls.key": server.key, "ca.crt": ca.cert });
  secret("clients", { "ca.crt": ca.cert });
  secret("client", { "tls.crt": client.cert, "tls.key": client.key });
  secret("tokens", { list: join(folder, "tokens") });
  const secured = "tls.secretName=server,tls.clientCaSecretName=clients,auth.secretName=tokens,auth.key=list";
  const values = ["--set", image(), "--set", secured, "--set-json", `test.golden=${JSON.stringify(golden)}`];

  await release.upgrade(...values);
  const without = await release.try("test", "digits", "--timeout", "90s");
  expect(without.code, without.output).not.toBe(0);
  expect(release.kubectl("logs", "digits-model-server-test")).toMatch(/GET \/v2.*(certificate|alert|reset|hang up)/i);

  await release.upgrade(...values, "--set", "test.clientTlsSecretName=client");
  const { code, output } = await release.try("test", "digits", "--timeout", "90s");
  expect(code, `${output}\n${release.pods()}`).toBe(0);
});

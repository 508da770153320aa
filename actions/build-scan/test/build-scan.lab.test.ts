import { readdirSync } from "node:fs";
import { describe, expect, inject, it, onTestFinished } from "vitest";
import { readStatements } from "../../shared/src/evidence/store.ts";
import { type Digest, parseDigest } from "../../shared/src/oci/digest.ts";
import type { ImageManifest } from "../../shared/src/oci/manifest.ts";
import { parseRepository } from "../../shared/src/oci/reference.ts";
import { RegistryClient } from "../../shared/src/oci/registry.ts";
import { runAction, startAction } from "../../shared/test/action-process.ts";
import { cleanContext, prepare, processesWith, vulnerableContext } from "./build-contexts.ts";
import { startProxy } from "./registry-proxy.ts";

const { registry } = inject("lab").addresses;
async function storedImage(client: RegistryClient, digest: string) {
  const stored = await client.getManifest(parseDigest(digest));
  return stored && (JSON.parse(stored.bytes.toString()) as ImageManifest);
}

const partsOf = ({ config, layers }: ImageManifest) => [config.digest, ...layers.map(({ digest }) => digest)];
const tagsOf = async (path: string) => (await fetch(`http://${registry}/v2/${path}/tags/list`)).status;

describe("an image without known vulnerabilities", () => {
  it("is pushed as it was scanned, under its tag, with labels and evidence", async () => {
    const { image, machine, client, temp } = prepare(cleanContext);
    const inputs = { image, tag: "feature/one", model: "digits", "model-version": "3" };
    const { outputs, log, summary } = await runAction("build-scan", inputs, machine);
    expect(outputs, log).toMatchObject({
      verdict: "pass",
      code: "",
      remedy: "",
      reason: "no known vulnerability; pushed the scanned bytes",
    });
    const digest = outputs.digest as Digest;
    expect(outputs.image).toBe(`${image}@${digest}`);
    expect(log).toContain(`built ${image}@${digest}`);
    expect(await client.resolveTag("feature-one")).toBe(digest);

    const stored = await storedImage(client, digest);
    const config = JSON.parse((await client.getBlob(stored?.config.digest as Digest)).toString());
    expect(config.config.Labels).toEqual({
      "org.opencontainers.image.revision": "0123abcd",
      "org.opencontainers.image.source": "https://github.com/acme/digits",
      "io.mlops-actions.model": "digits",
      "io.mlops-actions.model-version": "3",
    });
    expect((await readStatements(client, digest)).map(({ predicate }) => predicate)).toMatchObject([
      {
        stage: "build-scan",
        verdict: "pass",
        run: { repository: "acme/digits", commit: "0123abcd" },
        details: {
          scanner: { name: "grype", database: expect.stringMatching(/^built 20.* from .*github/) },
          failOn: "critical",
          counts: { critical: 0 },
          model: { name: "digits", version: "3" },
        },
      },
    ]);
    expect(summary).toContain(digest);
    expect(readdirSync(temp)).toEqual([]);
  });

  it("is built again without a byte being sent twice", async () => {
    const { path, machine } = prepare(cleanContext);
    const proxy = await startProxy(registry);
    const inputs = { image: `${proxy.name}/${path}`, tag: "main" };
    const first = await runAction("build-scan", inputs, machine);
    expect(first.outputs.verdict, first.log).toBe("pass");
    const blobs = proxy.sent.filter((asked) => asked.includes("/blobs/")).length;
    const second = await runAction("build-scan", inputs, machine);
    expect(second.outputs.digest).toBe(first.outputs.digest);
    expect(second.log).toContain("(0.0 MB sent)");
    // The second run's own evidence is all that is new.
    expect(proxy.sent.filter((asked) => asked.includes("/blobs/")).length).toBe(blobs + 1);
  });

  it("is not pushed where that was not asked for, and needs no registry then", async () => {
    const { machine } = prepare(cleanContext);
    const { outputs, log } = await runAction("build-scan", { image: "127.0.0.1:9/digits", push: "false" }, machine);
    expect(outputs, log).toMatchObject({
      verdict: "pass",
      image: "",
      reason: "no known vulnerability; nothing was pushed",
    });
    expect(outputs.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  });
});

describe("an image with a critical vulnerability", () => {
  it("is stopped, and nothing of it is in the registry, until its CVE is accepted", async () => {
    const { image, path, machine, client } = prepare(vulnerableContext);
    const stopped = await runAction("build-scan", { image, tag: "main" }, machine);
    expect(stopped.exitCode).toBe(1);
    expect(stopped.outputs, stopped.log).toMatchObject({
      verdict: "fail",
      image: "",
      reason: "critical vulnerability GHSA-xvch-5gv4-984h (CVE-2021-44906) in minimist 1.2.5; nothing was pushed",
      remedy: expect.stringMatching(/^update minimist to .*1\.2\.6, or accept/),
      findings: expect.stringContaining('"critical":1'),
    });
    expect(stopped.summary).toContain("/app/node_modules/minimist/package.json");
    const digest = parseDigest(stopped.outputs.digest ?? "");
    expect(await client.getManifest(digest)).toBeUndefined();
    expect(await tagsOf(path)).toBe(404);

    // The same bytes in another repository say which blobs are to be looked for.
    const elsewhere = prepare(() => ({}));
    const ignore = "CVE-2000-0001\ncve-2021-44906";
    const accepted = await runAction("build-scan", { image: elsewhere.image, ignore }, machine);
    expect(accepted.outputs, accepted.log).toMatchObject({
      verdict: "pass",
      digest,
      findings: expect.stringContaining('"critical":0'),
    });
    const [statement] = await readStatements(elsewhere.client, digest);
    expect(statement?.predicate.details.accepted).toEqual(["GHSA-xvch-5gv4-984h"]);
    const stored = await storedImage(elsewhere.client, digest);
    const parts = stored ? partsOf(stored) : [];
    expect(parts).toHaveLength(3);
    for (const part of parts) expect(await client.hasBlob(part), part).toBe(false);
  });

  it("that an earlier run pushed fails from now on, in its evidence too", async () => {
    const { image, machine, client } = prepare(vulnerableContext);
    const pushed = await runAction("build-scan", { image, ignore: "CVE-2021-44906" }, machine);
    expect(pushed.outputs.verdict, pushed.log).toBe("pass");
    const stopped = await runAction("build-scan", { image, tag: "main" }, machine);
    expect(stopped.outputs).toMatchObject({ verdict: "fail", image: "", digest: pushed.outputs.digest });
    const statements = await readStatements(client, parseDigest(pushed.outputs.digest ?? ""));
    expect(statements.map(({ predicate }) => predicate.verdict)).toEqual(["pass", "fail"]);
    expect(await client.resolveTag("main")).toBeUndefined();
  });

  it("is not let through by a scanner's configuration in the repository or the environment", async () => {
    const { image, path, machine } = prepare((mark) => ({
      ...vulnerableContext(mark),
      ".grype.yaml": "ignore:\n  - package: { name: minimist }\n",
    }));
    const hostile = { ...machine, GRYPE_IGNORE_STATES: "fixed,not-fixed,wont-fix,unknown" };
    const { outputs, log } = await runAction("build-scan", { image }, hostile);
    expect(outputs, log).toMatchObject({ verdict: "fail", reason: expect.stringContaining("CVE-2021-44906") });
    expect(await tagsOf(path)).toBe(404);
  });

  it("is not let through when the database cannot be read", async () => {
    const { image, path, machine, temp } = prepare(vulnerableContext);
    const { outputs, log } = await runAction("build-scan", { image }, { ...machine, GRYPE_DB_CACHE_DIR: temp });
    expect(outputs, log).toMatchObject({ verdict: "inconclusive", code: "SCAN_UNAVAILABLE" });
    expect(outputs.remedy).toContain("GRYPE_DB_CACHE_DIR");
    expect(log).toContain("::group::build");
    expect(await tagsOf(path)).toBe(404);
  });
});

describe("a build that fails", () => {
  it("is named by its instruction", async () => {
    const files = () => ({ Dockerfile: "FROM node:24-bookworm-slim\nRUN echo no such layer && exit 42\n" });
    const { image, path, machine, temp } = prepare(files);
    const { outputs, log } = await runAction("build-scan", { image }, machine);
    expect(outputs, log).toMatchObject({ verdict: "fail", code: "BUILD_FAILED" });
    expect(outputs.reason).toContain(
      '"/bin/sh -c echo no such layer && exit 42" did not complete successfully: exit code: 42',
    );
    expect(await tagsOf(path)).toBe(404);
    expect(readdirSync(temp)).toEqual([]);
  });

  it.each([
    ["context", { context: "nowhere" }],
    ["context", { context: "Dockerfile" }],
    ["dockerfile", { dockerfile: "docker/Dockerfile" }],
  ])("because of its input %s says so before it begins: %o", async (input, inputs) => {
    const { image, machine } = prepare(cleanContext);
    const { outputs, log } = await runAction("build-scan", { image, ...inputs }, machine);
    expect(outputs).toMatchObject({
      verdict: "fail",
      code: "BUILD_INPUT_NOT_FOUND",
      reason: `input '${input}' names '${Object.values(inputs)[0]}', which is not in the workspace`,
    });
    expect(log).not.toContain("::group::build");
  });

  it("because nobody answers for its base image says nothing about the release", async () => {
    const { image, machine } = prepare(() => ({ Dockerfile: "FROM 127.0.0.1:9/base:1\n" }));
    const { outputs, log } = await runAction("build-scan", { image }, machine);
    expect(outputs, log).toMatchObject({ verdict: "inconclusive", code: "BASE_IMAGE_UNREACHABLE" });
  });

  it("is stopped when it takes longer than its timeout", async () => {
    const { image, machine, temp } = prepare(() => ({
      Dockerfile: `FROM node:24-bookworm-slim\nRUN sleep 77.${process.pid}\n`,
    }));
    const { outputs, log } = await runAction("build-scan", { image, timeout: "2s" }, machine);
    expect(outputs, log).toMatchObject({ verdict: "inconclusive", code: "TIMEOUT" });
    expect(log).not.toContain("::group::scan");
    expect(readdirSync(temp)).toEqual([]);
  });

  it("is cancelled within the runner's time, and leaves no file and no process", async () => {
    const seconds = `12${process.pid}`;
    const { image, machine, temp } = prepare(() => ({
      Dockerfile: `FROM node:24-bookworm-slim\nRUN echo asleep-$((40+2)) && sleep ${seconds}\n`,
    }));
    const started = startAction("build-scan", { image }, machine);
    onTestFinished(() => started.interrupt("SIGKILL"));
    await started.printed("asleep-42");
    started.interrupt();
    const { outputs, milliseconds, exitCode } = await started.ended;
    expect(outputs).toMatchObject({ verdict: "inconclusive", code: "CANCELLED" });
    expect(exitCode).toBe(1);
    expect(milliseconds).toBeLessThan(7_000);
    expect(readdirSync(temp)).toEqual([]);
    expect(processesWith(temp)).toEqual([]);
    await expect.poll(() => processesWith(`sleep ${seconds}`), { timeout: 10_000 }).toEqual([]);
  }, 60_000);
});

describe("a push", () => {
  it("that was cut short leaves no image, and is mended by the next run", async () => {
    const { path, machine, client } = prepare(cleanContext);
    let kill = () => {};
    let held = 0;
    const proxy = await startProxy(registry, async ({ method, url }) => {
      const asked = `${method} ${url}`;
      if (!asked.includes("/manifests/") || !asked.startsWith("PUT") || held > 0) return undefined;
      held += 1;
      kill();
      await started.ended;
      return undefined;
    });
    const inputs = { image: `${proxy.name}/${path}`, tag: "main" };
    const started = startAction("build-scan", inputs, machine);
    kill = () => started.interrupt("SIGKILL");
    const { exitCode } = await started.ended;
    expect([exitCode, held]).toEqual([-1, 1]);
    expect(await tagsOf(path)).toBe(404);

    const mended = await runAction("build-scan", inputs, machine);
    expect(mended.outputs.verdict, mended.log).toBe("pass");
    expect(mended.log).toContain("(0.0 MB sent)");
    expect(await client.resolveTag("main")).toBe(mended.outputs.digest);
  });

  it("needs the right password, asks before it builds, and shows it nowhere", async () => {
    const { path, machine } = prepare(() => ({
      Dockerfile: [
        "FROM node:24-bookworm-slim AS told",
        "ARG TOKEN",
        "RUN echo the token is $TOKEN && touch /told",
        "FROM scratch",
        "COPY --from=told /told /told",
      ].join("\n"),
    }));
    const password = `hunter-${process.pid}-secret`;
    const basic = Buffer.from(`ada:${password}`).toString("base64");
    const proxy = await startProxy(registry, ({ headers }) =>
      headers.authorization === `Basic ${basic}`
        ? undefined
        : { status: 401, headers: { "www-authenticate": "Basic" } },
    );
    const image = `${proxy.name}/${path}`;
    const login = { "registry-username": "ada", "registry-password": password };
    const denied = await runAction("build-scan", { image, ...login, "registry-username": "eve" }, machine);
    expect(denied.outputs, denied.log).toMatchObject({
      verdict: "fail",
      code: "REGISTRY_DENIED",
      remedy: expect.stringContaining("registry-password"),
    });
    expect(denied.log).not.toContain("::group::build");

    const pushed = await runAction("build-scan", { image, ...login, "build-args": `TOKEN=${password}` }, machine);
    expect(pushed.outputs.verdict, pushed.log).toBe("pass");
    expect(pushed.log).toContain("the token is ***");
    for (const { log, outputs, summary } of [denied, pushed]) {
      const shown = log.replace(/^::add-mask::.*$/gm, "") + JSON.stringify(outputs) + summary;
      for (const form of [password, basic]) expect(shown).not.toContain(form);
    }
    const credentials = { username: "ada", password };
    const client = new RegistryClient(parseRepository(image), { credentials });
    const evidence = await readStatements(client, parseDigest(pushed.outputs.digest ?? ""));
    expect(evidence).toHaveLength(1);
    expect(JSON.stringify(evidence)).not.toContain(password);
  });

  it("to a registry that cannot be reached is inconclusive, before anything is built", async () => {
    const { machine } = prepare(cleanContext);
    const { outputs, log } = await runAction("build-scan", { image: "127.0.0.1:9/digits" }, machine);
    expect(outputs, log).toMatchObject({ verdict: "inconclusive", code: "REGISTRY_UNREACHABLE" });
    expect(outputs.reason).toContain("127.0.0.1:9");
    expect(log).not.toContain("::group::build");
  });
});

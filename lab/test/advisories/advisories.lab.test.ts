import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Advisories, ensureAdvisories } from "../../src/advisories/advisories.ts";
import { Progress } from "../../src/progress/progress.ts";
import { runChild } from "../../src/progress/run-child.ts";
import { ensureToolchain, type Toolchain } from "../../src/toolchain/toolchain.ts";

interface Report {
  readonly matches: readonly {
    readonly vulnerability: {
      readonly id: string;
      readonly severity: string;
      readonly namespace: string;
      readonly fix: { readonly state: string; readonly versions: readonly string[] };
    };
    readonly relatedVulnerabilities: readonly { readonly id: string }[];
    readonly artifact: { readonly name: string; readonly version: string };
  }[];
  readonly descriptor: {
    readonly db: { readonly status: { readonly valid: boolean; readonly from: string }; readonly providers: object };
  };
}

const folder = mkdtempSync(join(tmpdir(), "advisories-"));
const progress = new Progress({ logs: join(folder, "logs"), output: { write: () => true } });
let toolchain: Toolchain;
let advisories: Advisories;

beforeAll(async () => {
  toolchain = await ensureToolchain(["grype"], progress);
  advisories = await ensureAdvisories(toolchain, progress);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What Grype finds in a CycloneDX SBOM with these packages. */
async function scan(...purls: string[]): Promise<Report> {
  const components = purls.map((purl) => {
    const [, name = "", version = ""] = /\/([^/@]+)@([^?]+)/.exec(purl) ?? [];
    return { type: "library", name, version, purl, "bom-ref": purl };
  });
  const system = {
    type: "operating-system",
    name: "debian",
    version: "12",
    "bom-ref": "os",
    swid: { tagId: "debian", name: "debian", version: "12" },
  };
  const sbom = join(folder, "sbom.json");
  writeFileSync(
    sbom,
    JSON.stringify({ bomFormat: "CycloneDX", specVersion: "1.5", version: 1, components: [...components, system] }),
  );
  const environment = { ...process.env, ...advisories.environment };
  const { code, stdout, stderr } = await runChild(
    toolchain.path("grype"),
    [`sbom:${sbom}`, "--output", "json", "--quiet"],
    { environment },
  );
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Report;
}

const found = ({ matches }: Report) =>
  matches.map(({ vulnerability, artifact }) => `${artifact.name} ${vulnerability.id} ${vulnerability.severity}`);

test("Grype takes the database for valid and finds minimist's critical prototype pollution in it", async () => {
  const report = await scan("pkg:npm/minimist@1.2.5");
  expect(report.descriptor.db.status.valid).toBe(true);
  expect(found(report)).toEqual(["minimist GHSA-xvch-5gv4-984h Critical"]);
  const [match] = report.matches;
  expect(match?.vulnerability.fix).toMatchObject({ state: "fixed", versions: ["0.2.4", "1.2.6"] });
  expect(match?.vulnerability.namespace).toMatch(/^lab-github:/);
  expect(match?.relatedVulnerabilities.map(({ id }) => id)).toContain("CVE-2021-44906");
});

test("every report says that the database is for demonstration and not authoritative, and its providers are the lab's", async () => {
  const { status, providers } = (await scan("pkg:npm/minimist@1.2.6")).descriptor.db;
  expect(status).toMatchObject({ valid: true, from: expect.stringMatching(/lab .*demonstration.* not authoritative/) });
  expect(Object.keys(providers)).toEqual(["lab-debian", "lab-github"]);
});

test("a fixed version is not reported, and each of several ranges counts", async () => {
  const report = await scan(
    "pkg:npm/minimist@1.2.6",
    "pkg:npm/minimist@0.2.3",
    "pkg:npm/semver@6.3.0",
    "pkg:npm/semver@7.5.2",
  );
  expect(found(report).sort()).toEqual(["minimist GHSA-xvch-5gv4-984h Critical", "semver GHSA-c2qf-rxjj-qqgw High"]);
});

test("Python packages and Debian packages are matched too", async () => {
  const report = await scan(
    "pkg:pypi/PyYAML@5.3",
    "pkg:pypi/requests@2.31.0",
    "pkg:deb/debian/libc6@2.36-9+deb12u2?arch=amd64&distro=debian-12&upstream=glibc",
  );
  expect(found(report).sort()).toEqual([
    "PyYAML GHSA-8q59-q68h-6hv4 Critical",
    "libc6 CVE-2010-4756 Negligible",
    "libc6 CVE-2023-4911 High",
  ]);
});

test("asking for the public database falls back to the lab's where it cannot be had", async () => {
  const environment = { https_proxy: process.env.https_proxy };
  process.env.https_proxy = "http://127.0.0.1:9"; // nobody listens there
  try {
    const fallback = await ensureAdvisories(toolchain, progress, { prefer: "public" });
    expect(fallback).toEqual(advisories);
  } finally {
    if (environment.https_proxy === undefined) delete process.env.https_proxy;
    else process.env.https_proxy = environment.https_proxy;
  }
});

test("once made, it is there at once", async () => {
  const started = performance.now();
  await ensureAdvisories(toolchain, progress);
  expect(performance.now() - started).toBeLessThan(100);
});

import { describe, expect, it } from "vitest";
import { decideGate, type Finding } from "../src/gate.ts";
import { readReport } from "../src/scan.ts";

const minimist: Finding = {
  id: "GHSA-xvch-5gv4-984h",
  aliases: ["CVE-2021-44906"],
  severity: "critical",
  package: "minimist",
  version: "1.2.5",
  type: "npm",
  path: "/app/node_modules/minimist/package.json",
  fixedIn: ["1.2.6"],
};
const libc: Finding = {
  ...minimist,
  id: "CVE-2024-0001",
  aliases: [],
  severity: "high",
  package: "libc6",
  fixedIn: [],
};

describe("decideGate", () => {
  it("stops at a finding of the severity or above, and says what, where and how to mend it", () => {
    expect(decideGate([libc, minimist], { failOn: "high", ignore: [] })).toMatchObject({
      verdict: "fail",
      reason: "critical vulnerability GHSA-xvch-5gv4-984h (CVE-2021-44906) in minimist 1.2.5, and 1 more",
      remedy: expect.stringContaining("update minimist to 1.2.6"),
      blocking: [{ package: "minimist" }, { package: "libc6" }],
    });
  });

  it("lets lower findings pass, and counts them", () => {
    const decision = decideGate([libc], { failOn: "critical", ignore: [] });
    expect(decision).toMatchObject({ verdict: "pass", counts: { high: 1, critical: 0 } });
    expect(decision.reason).toContain("among 1 findings");
  });

  it.each(["GHSA-xvch-5gv4-984h", "cve-2021-44906"])("accepts a finding by its id or alias %s", (id) => {
    const decision = decideGate([minimist], { failOn: "low", ignore: [id] });
    expect(decision).toMatchObject({ verdict: "pass", accepted: [minimist], counts: { critical: 0 } });
  });

  it("does not take a finding of unknown severity for a low one, nor for nothing", () => {
    const unknown = { ...libc, severity: undefined };
    expect(decideGate([unknown], { failOn: "negligible", ignore: [] })).toMatchObject({
      verdict: "pass",
      counts: { unknown: 1 },
    });
  });
});

describe("readReport", () => {
  it("reads ids, aliases, fixes and the database from Grype's report", () => {
    const { findings, scanner } = readReport(
      JSON.stringify({
        matches: [
          {
            vulnerability: {
              id: "GHSA-xvch-5gv4-984h",
              severity: "Critical",
              fix: { versions: ["1.2.6"], state: "fixed" },
            },
            relatedVulnerabilities: [{ id: "CVE-2021-44906" }],
            artifact: {
              name: "minimist",
              version: "1.2.5",
              type: "npm",
              locations: [{ path: "/app/node_modules/minimist/package.json" }],
            },
          },
        ],
        descriptor: {
          version: "0.110.0",
          db: {
            status: { built: "2026-01-01T00:00:00Z", from: "manual import" },
            providers: { nvd: {}, github: {} },
          },
        },
      }),
    );
    expect(findings).toEqual([minimist]);
    expect(scanner).toEqual({
      name: "grype",
      version: "0.110.0",
      database: "built 2026-01-01T00:00:00Z from github, nvd",
    });
  });

  it.each([
    [{ status: { built: "B" }, providers: { a: {}, b: {}, c: {}, d: {}, e: {} } }, "built B from 5 sources"],
    [undefined, "built at an unknown time from unknown sources"],
  ])("says of what database %j the report is", (db, database) => {
    const report = JSON.stringify({ matches: [], descriptor: { version: "1", db } });
    expect(readReport(report).scanner.database).toBe(database);
  });

  it("keeps a finding whose fix list or severity is missing", () => {
    const match = {
      vulnerability: { id: "X", severity: "Weird", fix: { versions: null } },
      artifact: { name: "a", version: "1", type: "deb" },
    };
    const { findings } = readReport(JSON.stringify({ matches: [match], descriptor: { version: "1" } }));
    expect(findings).toMatchObject([{ id: "X", severity: undefined, fixedIn: [], path: "" }]);
  });
});

import { describe, expect, it } from "vitest";
import { rollbackArguments, type Upgrade, uninstallArguments, upgradeArguments } from "../src/args.ts";

const upgrade: Upgrade = {
  release: "digits",
  namespace: "staging",
  chart: "/charts/model-server",
  chartVersion: undefined,
  values: ["a.yaml", "b.yaml"],
  set: ["replicaCount=2"],
  setString: [
    ["image.repository", "ghcr.io/acme/digits"],
    ["image.digest", "sha256:00"],
  ],
  labels: { "mlops-actions/timeout": "60" },
  description: "digest 00, commit 1",
  timeoutSeconds: 60,
  plainHttp: false,
};
const scope = { release: "digits", namespace: "staging", timeoutSeconds: 60 };

describe("upgradeArguments", () => {
  it("installs or upgrades, waits, and forgets the values of the revision before", () => {
    const args = upgradeArguments(3, upgrade);
    expect(args.slice(0, 3)).toEqual(["upgrade", "digits", "/charts/model-server"]);
    expect(args).toEqual(expect.arrayContaining(["--install", "--reset-values", "--wait", "--wait-for-jobs"]));
    expect(args.join(" ")).toContain("--namespace staging --timeout 60s");
  });

  it("never lets helm roll back by itself: the pods must be asked first", () => {
    for (const major of [3, 4])
      expect(upgradeArguments(major, upgrade).join(" ")).not.toMatch(/atomic|rollback-on-failure|cleanup-on-fail/);
  });

  it("names the way to wait for Helm 4, whose default differs between commands", () => {
    expect(upgradeArguments(4, upgrade)).toContain("--wait=watcher");
    expect(uninstallArguments(4, scope)).toContain("--wait=watcher");
    expect(uninstallArguments(3, scope)).toContain("--wait");
  });

  it("lets the digest win over value files and `set`, in that order", () => {
    expect(upgradeArguments(3, upgrade).join(" ")).toContain(
      "--values a.yaml --values b.yaml --set replicaCount=2 --set-string image.repository=ghcr.io/acme/digits --set-string image.digest=sha256:00",
    );
  });

  it("passes a version and plain HTTP only where they are meant", () => {
    expect(upgradeArguments(3, upgrade).join(" ")).not.toMatch(/--version|--plain-http/);
    const other = upgradeArguments(3, { ...upgrade, chartVersion: "1.2.3", plainHttp: true });
    expect(other.join(" ")).toMatch(/--version 1\.2\.3 .*--plain-http/);
  });
});

describe("rollbackArguments", () => {
  it("waits only where it is told to", () => {
    expect(rollbackArguments(3, { ...scope, revision: 4, wait: true })).toEqual([
      "rollback",
      "digits",
      "4",
      "--namespace",
      "staging",
      "--timeout",
      "60s",
      "--wait",
    ]);
    expect(rollbackArguments(4, { ...scope, revision: 4, wait: false })).not.toContain("--wait=watcher");
  });
});

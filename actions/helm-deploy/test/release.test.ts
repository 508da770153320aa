import { describe, expect, it } from "vitest";
import { type Revision, releaseState } from "../src/release-history.ts";
import { heldUntil, labelNames, runLabel } from "../src/release-lock.ts";
import { valueAt } from "../src/revision-image.ts";

const begun = "2026-01-01T00:00:00.5Z";
const revision = (number: number, status: string): Revision => ({
  revision: number,
  updated: begun,
  status,
  chart: "model-server-1.0.0",
  description: "",
});
const history = (...statuses: string[]) => statuses.map((status, index) => revision(index + 1, status));

describe("releaseState", () => {
  it("knows what is deployed below failed revisions", () => {
    const state = releaseState(history("superseded", "deployed", "failed"));
    expect([state.deployed?.revision, state.last?.revision, state.pending]).toEqual([2, 3, undefined]);
  });

  it.each(["pending-install", "pending-upgrade", "pending-rollback", "uninstalling"])(
    "takes %s for unfinished",
    (status) => {
      expect(releaseState(history("deployed", status)).pending?.revision).toBe(2);
    },
  );

  it("takes what was left by a rollback that the cluster refused for deployed", () => {
    expect(releaseState(history("superseded", "superseded", "failed")).deployed?.revision).toBe(2);
    expect(releaseState(history("superseded", "superseded", "uninstalled")).deployed).toBeUndefined();
  });

  it("takes no older unfinished revision for one in progress", () => {
    expect(releaseState(history("pending-upgrade", "deployed")).pending).toBeUndefined();
  });
});

describe("heldUntil", () => {
  const time = Date.parse(begun);
  const pending = revision(2, "pending-upgrade");

  it("gives the other run its own timeout and a minute", () => {
    const labels = { [labelNames.run]: "7-1", [labelNames.timeout]: "30" };
    expect(heldUntil(pending, labels, "8-1", 300_000)).toBe(time + 90_000);
  });

  it("gives a run that left no labels as much time as this one has", () => {
    expect(heldUntil(pending, {}, "8-1", 300_000)).toBe(time + 360_000);
  });

  it("knows that an earlier attempt of this run is over", () => {
    const labels = { [labelNames.run]: "8-1", [labelNames.timeout]: "30" };
    expect(heldUntil(pending, labels, "8-2", 300_000)).toBe(time);
    expect(heldUntil(pending, labels, "8-1", 300_000)).toBe(time + 90_000);
  });

  it("does not take the labels of a rollback for those of whoever began it", () => {
    const labels = { [labelNames.run]: "8-1" };
    expect(heldUntil(revision(3, "pending-rollback"), labels, "8-2", 300_000)).toBe(time + 360_000);
  });

  it("is the same outside of a workflow, where there is no run", () => {
    expect(runLabel({})).toBe("");
    expect(runLabel({ GITHUB_RUN_ID: "8", GITHUB_RUN_ATTEMPT: "2" })).toBe("8-2");
    expect(heldUntil(pending, {}, "", 300_000)).toBe(time + 360_000);
  });
});

describe("valueAt", () => {
  it("follows a key as helm --set reads it", () => {
    const values = { image: { digest: "sha256:00" }, "a.b": { c: "d" }, replicas: 2 };
    expect(valueAt(values, "image.digest")).toBe("sha256:00");
    expect(valueAt(values, "a\\.b.c")).toBe("d");
    expect(valueAt(values, "replicas")).toBeUndefined();
    expect(valueAt(values, "image.digest.deeper")).toBeUndefined();
    expect(valueAt(undefined, "image")).toBeUndefined();
  });
});

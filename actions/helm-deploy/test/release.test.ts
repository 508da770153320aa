import { describe, expect, it } from "vitest";
import { type Revision, releaseState } from "../src/release-history.ts";
import { heldUntil, labelNames, runLabel } from "../src/release-lock.ts";
import { valueAt } from "../src/revision-image.ts";
import { chooseGoal } from "../src/roll-back.ts";

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

describe("chooseGoal", () => {
  const digest = (letter: string) => `sha256:${letter.repeat(64)}` as never;
  /** Letters say which digest each revision has. */
  const helm = (letters: string) => ({
    values: async (_: string, __: string, number: number) => ({
      image: { repository: "ghcr.io/acme/digits", digest: digest(letters[number - 1] ?? "0") },
    }),
  });
  const inputs = (more: object = {}) =>
    ({
      release: "digits",
      namespace: "ns",
      "repository-key": "image.repository",
      "digest-key": "image.digest",
      ...more,
    }) as never;

  it("goes to the newest deployed revision with another digest", async () => {
    const state = releaseState(history("superseded", "superseded", "superseded", "deployed"));
    const goal = await chooseGoal(state, inputs(), undefined, helm("abcc"));
    expect([goal.revision.revision, goal.image.digest]).toEqual([2, digest("b")]);
  });

  it("does not go to a revision that failed", async () => {
    const state = releaseState(history("superseded", "failed", "deployed"));
    expect((await chooseGoal(state, inputs(), undefined, helm("abc"))).revision.revision).toBe(1);
  });

  it("goes to the digest that was named", async () => {
    const state = releaseState(history("superseded", "superseded", "deployed"));
    expect((await chooseGoal(state, inputs(), digest("a"), helm("abc"))).revision.revision).toBe(1);
  });

  it("goes to the revision that was named, even one with the same digest", async () => {
    const state = releaseState(history("superseded", "superseded", "deployed"));
    expect((await chooseGoal(state, inputs({ revision: 2 }), undefined, helm("acc"))).revision.revision).toBe(2);
  });

  it.each([
    [{}, undefined, "has no earlier deployed revision with another digest"],
    [{}, digest("f"), "has no deployed revision with digest ffffffffffff"],
    [{ revision: 9 }, undefined, "has no revision 9"],
  ])("refuses when there is nothing to go back to: %j %s", async (more, wanted, why) => {
    const state = releaseState(history("superseded", "deployed"));
    await expect(chooseGoal(state, inputs(more), wanted, helm("cc"))).rejects.toMatchObject({
      code: "ROLLBACK_IMPOSSIBLE",
      message: expect.stringContaining(why),
    });
  });
});

import { describe, expect, it } from "vitest";
import { ActionError } from "../../shared/src/action-runtime/error.ts";
import { findLeft, leftByLabel, leftByValue, markLeft, revisionLeftBy } from "../src/left-revision.ts";
import { originOf, type Revision, releaseState } from "../src/release-history.ts";
import { chooseGoal, isServed } from "../src/roll-back.ts";

/** Each revision as its digest's letter, with `>N` for one that a rollback to N made and `!` for one that failed. */
function release(...written: string[]) {
  const revisions = written.map((text, index): Revision => {
    const goal = />(\d+)/.exec(text)?.[1];
    const isLast = !written.slice(index + 1).some((later) => !later.includes("!"));
    return {
      revision: index + 1,
      updated: "2026-01-01T00:00:00Z",
      status: text.includes("!") ? "failed" : isLast ? "deployed" : "superseded",
      chart: "model-server-1.0.0",
      description: goal ? `Rollback to ${goal}` : `digest ${text[0]}, commit 1`,
    };
  });
  const values = async (_: string, __: string, number: number) => ({
    image: { repository: "ghcr.io/acme/digits", digest: digest(written[number - 1]?.[0] ?? "0") },
  });
  return { state: releaseState(revisions), helm: { values } };
}
type Release = ReturnType<typeof release>;

const digest = (letter: string) => `sha256:${letter.repeat(64)}` as never;
const inputs = (more: object = {}) =>
  ({
    release: "digits",
    namespace: "ns",
    "repository-key": "image.repository",
    "digest-key": "image.digest",
    ...more,
  }) as never;

async function goalOf({ state, helm }: Release, more: { left?: number; revision?: number; digest?: string } = {}) {
  const wanted = more.digest === undefined ? undefined : digest(more.digest);
  const goal = await chooseGoal(state, more.left, inputs({ revision: more.revision }), wanted, helm);
  return goal.revision.revision;
}

describe("chooseGoal", () => {
  it("goes to the newest deployed revision with another digest", async () => {
    expect(await goalOf(release("a", "b"))).toBe(1);
    expect(await goalOf(release("f", "a", "b"))).toBe(2);
    expect(await goalOf(release("a", "b", "c", "c"))).toBe(2);
    expect(await goalOf(release("a", "b!", "c"))).toBe(1);
  });

  it("goes further back after a rollback, never forward to what was left", async () => {
    expect(await goalOf(release("f", "a", "b", "a>2"))).toBe(1);
    await expect(goalOf(release("a", "b", "a>1"))).rejects.toMatchObject({ code: "ROLLBACK_IMPOSSIBLE" });
  });

  it("follows rollbacks to rollbacks, such as that of a failed deployment", async () => {
    expect(await goalOf(release("f", "a", "b", "a>2", "c!", "a>4"))).toBe(1);
    await expect(goalOf(release("a", "b", "a>1", "c!", "a>3"))).rejects.toMatchObject({ code: "ROLLBACK_IMPOSSIBLE" });
  });

  it("does not take up what was left when the same digest is deployed again", async () => {
    await expect(goalOf(release("a", "b", "a>1", "a"))).rejects.toMatchObject({ code: "ROLLBACK_IMPOSSIBLE" });
  });

  it("goes back again when what was left is promoted again", async () => {
    expect(await goalOf(release("a", "b", "a>1", "b"))).toBe(3);
    expect(await goalOf(release("f", "a", "b", "a>2", "b", "a>4"))).toBe(1);
  });

  it("goes to the same goal when the run is repeated", async () => {
    expect(await goalOf(release("f", "a", "b"), { left: 3 })).toBe(2);
    expect(await goalOf(release("f", "a", "b", "a>2"), { left: 3 })).toBe(2);
    expect(await goalOf(release("f", "a", "b", "a>2!"), { left: 3 })).toBe(2);
    expect(await goalOf(release("f", "a", "b", "a>2", "f>1"), { left: 4 })).toBe(1);
  });

  it("takes what it does not know the origin of for a deployment of its own", async () => {
    const { state, helm } = release("a", "b", "a>1");
    const revisions = state.revisions.map((one) => ({ ...one, description: "" }));
    expect(await goalOf({ state: releaseState(revisions), helm })).toBe(2);
  });

  it("does not go to what is older than Helm has kept", async () => {
    const { state, helm } = release("f", "a", "b", "a>2");
    const kept = releaseState(state.revisions.slice(2));
    await expect(goalOf({ state: kept, helm })).rejects.toMatchObject({ code: "ROLLBACK_IMPOSSIBLE" });
  });

  it("goes to the digest that was named, forward too", async () => {
    expect(await goalOf(release("a", "b", "c"), { digest: "a" })).toBe(1);
    expect(await goalOf(release("a", "b", "a>1"), { digest: "b" })).toBe(2);
    expect(await goalOf(release("a", "b", "a>1"), { digest: "a" })).toBe(3);
  });

  it("goes to the revision that was named, even one with the same digest", async () => {
    expect(await goalOf(release("a", "c", "c"), { revision: 2 })).toBe(2);
    expect(await goalOf(release("a", "c", "c"), { revision: 3 })).toBe(3);
  });

  it.each([
    [{}, "has no earlier deployed revision with another digest"],
    [{ digest: "f" }, "has no deployed revision with digest ffffffffffff"],
    [{ revision: 9 }, "has no revision 9"],
  ])("refuses when there is nothing to go back to, and names the way forward: %j", async (more, why) => {
    await expect(goalOf(release("c", "c"), more)).rejects.toMatchObject({
      code: "ROLLBACK_IMPOSSIBLE",
      message: expect.stringContaining(why),
      remedy: expect.stringContaining("promote a digest"),
    });
  });
});

describe("isServed", () => {
  const served = async ({ state, helm }: Release, revision: number, named = false) => {
    const goal = state.revisions[revision - 1] as Revision;
    const { image } = (await helm.values("", "", revision)) as { image: never };
    return await isServed(state, { revision: goal, image }, inputs(named ? { revision } : {}), helm);
  };

  it("knows the revision that was named, under a later number as well", async () => {
    expect(await served(release("a", "b"), 2, true)).toBe(true);
    expect(await served(release("a", "b", "a>1"), 1, true)).toBe(true);
    expect(await served(release("a", "a"), 1, true)).toBe(false);
  });

  it("knows the goal by its digest where no revision was named", async () => {
    expect(await served(release("a", "b", "a>1"), 1)).toBe(true);
    expect(await served(release("a", "b"), 1)).toBe(false);
  });

  it("is not so after a revision that failed, which has changed the cluster", async () => {
    expect(await served(release("a", "b!"), 2, true)).toBe(false);
    expect(await served(release("a", "a!"), 1)).toBe(false);
  });
});

describe("originOf", () => {
  it("ends at a revision that Helm has not kept", () => {
    const { revisions } = release("a", "b", "a>1", "a>3").state;
    expect(originOf(revisions[3] as Revision, revisions)).toBe(1);
    expect(originOf(revisions[3] as Revision, revisions.slice(3))).toBe(3);
  });
});

describe("the revision that a run left", () => {
  const target = { release: "digits", namespace: "ns" };
  const secret = (revision: number, leftBy: string) => ({
    metadata: {
      name: `sh.helm.release.v1.digits.v${revision}`,
      labels: { version: String(revision), [leftByLabel]: leftBy },
    },
  });
  const run9 = { GITHUB_RUN_ID: "9" };
  const logged = (environment: Record<string, string> = run9) => {
    const lines: string[] = [];
    return { lines, context: { environment, log: { line: (text: string) => lines.push(text) } } as never };
  };
  const revision = release("a", "b").state.last as Revision;

  it("is the first that carries the run's label; one that Helm has copied does not count", () => {
    const copied = [secret(4, "9.v2"), secret(6, "9.v2")];
    expect(revisionLeftBy(run9, target, [secret(2, "9.v2"), ...copied])).toBe(2);
    expect(revisionLeftBy(run9, target, copied)).toBeUndefined();
    expect(revisionLeftBy(run9, target, [secret(2, "8.v2"), secret(5, "9.v5"), secret(3, "9.v3")])).toBe(3);
    expect(revisionLeftBy({}, target, [secret(2, "undefined.v2")])).toBeUndefined();
  });

  it("is neither written nor read outside of a workflow, nor with an id that no label may hold", async () => {
    const never = { run: () => Promise.reject(new Error("asked")), list: () => Promise.reject(new Error("asked")) };
    for (const environment of [{}, { GITHUB_RUN_ID: "" }, { GITHUB_RUN_ID: "9 -A" }]) {
      expect(leftByValue(environment, 2)).toBeUndefined();
      await markLeft(never, target, revision, logged(environment).context);
      expect(await findLeft(never, target, logged(environment).context)).toBeUndefined();
    }
  });

  it("goes unlabelled, and the log says so, where the user may not, or Helm keeps no Secrets", async () => {
    const stderr = 'Error from server (NotFound): secrets "sh.helm.release.v1.digits.v2" not found';
    const { lines, context } = logged();
    await markLeft({ run: async () => ({ exitCode: 1, stdout: "", stderr }) }, target, revision, context);
    expect(lines).toEqual([expect.stringMatching(/^revision 2 could not be labelled .*NotFound/)]);
  });

  it("is not guessed when the cluster does not answer", async () => {
    const failing = (code: string) => ({
      list: () => Promise.reject(new ActionError(code, { message: "no", remedy: "" })),
    });
    const { lines, context } = logged();
    expect(await findLeft(failing("CLUSTER_FORBIDDEN"), target, context)).toBeUndefined();
    expect(lines).toHaveLength(1);
    await expect(findLeft(failing("CLUSTER_UNREACHABLE"), target, context)).rejects.toThrow("no");
  });
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Diagnosis, diagnose } from "../../src/kubernetes/diagnosis.ts";
import { describeProgress, rolloutProgress } from "../../src/kubernetes/rollout.ts";
import { arrange, type Snapshot } from "../../src/kubernetes/snapshot.ts";

/** Objects of a release `d` in namespace `r-NAME`, as a Kubernetes 1.34 cluster gave them, less what nobody reads. */
function recorded(name: string, change: (text: string) => string = (text) => text): Snapshot {
  const text = readFileSync(join(import.meta.dirname, "recorded", `${name}.json`), "utf8");
  return arrange(JSON.parse(change(text)), "d", `r-${name}`);
}

function causes(name: string, change?: (text: string) => string): Diagnosis[] {
  const snapshot = recorded(name, change);
  return diagnose(rolloutProgress(snapshot), snapshot.events);
}

const never = Number.POSITIVE_INFINITY;

describe("diagnose", () => {
  it.each([
    ["crash-loop", "crash-loop", "fail", 0, /container server of pod d-\S+ crashed 4 times with exit code 3$/],
    ["out-of-memory", "out-of-memory", "fail", 0, /needs more memory than its limit of 64Mi and was killed 4 times$/],
    ["image-not-found", "image-not-found", "fail", never, /cannot be pulled: the registry does not have it$/],
    [
      "image-unreachable",
      "image-unreachable",
      "inconclusive",
      never,
      /the registry cannot be reached from the cluster$/,
    ],
    ["not-ready", "readiness-probe", "fail", never, /runs but does not become ready: Readiness probe failed: .*503/],
    ["pod-security", "pod-security", "fail", 0, /refuses the pods of Deployment d: allowPrivilegeEscalation != false/],
    [
      "quota",
      "quota",
      "inconclusive",
      30_000,
      /quota has no room for the pods of Deployment d: exceeded quota: q, requested/,
    ],
    ["missing-secret", "invalid-configuration", "fail", 20_000, /cannot be started: secret "tokens" not found$/],
    [
      "unschedulable",
      "unschedulable",
      "inconclusive",
      never,
      /fits on no node: 0\/1 nodes are available: 1 Insufficient memory/,
    ],
  ])("of %s is %s, blame %s", (name, cause, blame, hopelessAfter, sentence) => {
    const [first] = causes(name);
    expect(first).toMatchObject({ cause, blame, hopelessAfter });
    expect(first?.sentence).toMatch(sentence);
    expect(first?.evidence.length).toBeGreaterThan(0);
    expect(first?.remedy).not.toBe("");
  });

  it("finds nothing wrong with a release that is ready", () => expect(causes("healthy")).toEqual([]));

  it("gives up on a missing image once the kubelet backs off from pulling it", () => {
    const [first] = causes("image-not-found", (text) =>
      text.replace('"reason": "ErrImagePull"', '"reason": "ImagePullBackOff"'),
    );
    expect(first).toMatchObject({ cause: "image-not-found", hopelessAfter: 0 });
  });

  it("tells a pull that is denied from one of a missing image, even where the repository is called denied", () => {
    const denied = (text: string) => text.replaceAll("code = NotFound", "code = Unknown 401 Unauthorized");
    expect(causes("image-not-found", denied)[0]).toMatchObject({ cause: "image-denied", blame: "fail" });
    const named = (text: string) => text.replaceAll("test/nothing", "test/denied");
    expect(causes("image-not-found", named)[0]).toMatchObject({ cause: "image-not-found" });
  });

  it("gives a container three crashes", () => {
    const twice = (text: string) => text.replaceAll('"restartCount": 3', '"restartCount": 1');
    expect(causes("crash-loop", twice)[0]).toMatchObject({
      hopelessAfter: never,
      sentence: expect.stringContaining("crashed 2 times"),
    });
  });

  it("blames the liveness probe for the restarts that it makes", () => {
    const probed = (text: string) =>
      text
        .replaceAll('"exitCode": 3', '"exitCode": 137')
        .replace(/Readiness probe failed(?:[^"\\]|\\.)*/, "Liveness probe failed: HTTP 500");
    expect(causes("crash-loop", probed)[0]).toMatchObject({
      cause: "liveness-probe",
      sentence: expect.stringMatching(/because its probe fails: Liveness probe failed: HTTP 500$/),
    });
  });

  it("does not speak of pods of an earlier revision", () => {
    const other = (text: string) =>
      text.replace('"deployment.kubernetes.io/revision": "1"', '"deployment.kubernetes.io/revision": "2"');
    expect(causes("crash-loop", other)).toEqual([]);
  });

  it("does not speak of a change that the controller has not seen yet", () => {
    const unseen = (text: string) => text.replace('"generation": 1', '"generation": 2');
    expect(causes("crash-loop", unseen)).toEqual([]);
  });
});

describe("rolloutProgress", () => {
  it("is done when all pods of the newest revision are ready", () => {
    const [progress] = rolloutProgress(recorded("healthy"));
    expect(progress).toMatchObject({ kind: "Deployment", name: "d", desired: 1, ready: 1, done: true });
  });

  it("is not done while old pods are still there", () => {
    const [progress] = rolloutProgress(
      recorded("healthy", (text) => text.replace(/"replicas": 1,(\s+"updatedReplicas")/, '"replicas": 2,$1')),
    );
    expect(progress?.done).toBe(false);
  });

  it("says what the pods that are not ready do", () => {
    const [progress] = rolloutProgress(recorded("missing-secret"));
    expect(progress && describeProgress(progress)).toMatch(
      /^Deployment d: 0\/1 pods ready \(d-\S+: CreateContainerConfigError\)$/,
    );
  });

  it("does not wait for pods that people replace themselves", () => {
    const paused = recorded("unschedulable", (text) =>
      text.replace(/"spec": \{\s+"replicas": 1/, '"spec": { "paused": true, "replicas": 1'),
    );
    expect(rolloutProgress(paused)[0]?.done).toBe(true);
    expect(rolloutProgress(recorded("unschedulable"))[0]?.done).toBe(false);
  });

  it("leaves out workloads of other releases", () => {
    const items = JSON.parse(readFileSync(join(import.meta.dirname, "recorded", "healthy.json"), "utf8"));
    expect(arrange(items, "other", "r-healthy").workloads).toEqual([]);
  });
});

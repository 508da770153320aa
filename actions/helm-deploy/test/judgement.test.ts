import { describe, expect, it } from "vitest";
import type { Diagnosis } from "../../shared/src/kubernetes/diagnosis.ts";
import { judge } from "../src/deploy.ts";
import { helmFailure, lastLine } from "../src/helm.ts";
import { lasting } from "../src/supervise.ts";

const diagnosis = (more: Partial<Diagnosis> = {}): Diagnosis => ({
  cause: "crash-loop",
  sentence: "container server of pod d-1 crashed 3 times with exit code 3",
  evidence: [],
  remedy: "see the log",
  blame: "fail",
  hopelessAfter: 0,
  ...more,
});
const rollout = (more: object = {}) =>
  ({
    ended: "badly",
    said: "UPGRADE FAILED: context deadline exceeded",
    failure: "timeout",
    diagnosis: undefined,
    capture: { pods: [], events: [], log: [] },
    ...more,
  }) as never;

describe("lasting", () => {
  it("gives up at once on what cannot heal", () => {
    expect(lasting([diagnosis()], new Map(), 0)?.cause).toBe("crash-loop");
  });

  it("gives up on what may heal only after it has lasted", () => {
    const since = new Map<string, number>();
    const one = diagnosis({ hopelessAfter: 20_000 });
    expect(lasting([one], since, 1_000)).toBeUndefined();
    expect(lasting([one], since, 20_999)).toBeUndefined();
    expect(lasting([one], since, 21_000)).toBe(one);
  });

  it("starts anew when the cause was gone in between", () => {
    const since = new Map<string, number>();
    const one = diagnosis({ hopelessAfter: 20_000 });
    lasting([one], since, 0);
    lasting([], since, 10_000);
    expect(lasting([one], since, 20_000)).toBeUndefined();
  });

  it("never gives up on what an autoscaler may heal", () => {
    const one = diagnosis({ hopelessAfter: Number.POSITIVE_INFINITY });
    const since = new Map<string, number>();
    lasting([one], since, 0);
    expect(lasting([one], since, 1e12)).toBeUndefined();
  });
});

describe("judge", () => {
  it("takes the cause's blame, and the container's last words into the reason", () => {
    const capture = { pods: [], events: [], log: ["starting", "cannot load model.onnx", ""] };
    expect(judge(rollout({ diagnosis: diagnosis(), capture }), 60_000)).toEqual({
      verdict: "fail",
      reason: "container server of pod d-1 crashed 3 times with exit code 3; its last words: cannot load model.onnx",
      remedy: "see the log",
    });
    expect(judge(rollout({ diagnosis: diagnosis({ blame: "inconclusive" }) }), 60_000).verdict).toBe("inconclusive");
  });

  it("takes time that ran out without a cause for no proof against the release", () => {
    expect(judge(rollout(), 60_000)).toMatchObject({
      verdict: "inconclusive",
      reason: expect.stringContaining("within 60 s"),
    });
  });

  it("does not blame the release for what goes wrong inside the cluster", () => {
    const said = "Internal error occurred: failed to allocate a nodePort: range is full";
    expect(judge(rollout({ failure: "internal", said }), 60_000)).toMatchObject({
      verdict: "inconclusive",
      reason: `the cluster could not carry it out: ${said}`,
    });
  });

  it("takes helm's own refusal for the release's fault", () => {
    const said = "UPGRADE FAILED: field is immutable";
    expect(judge(rollout({ failure: "other", said }), 60_000)).toMatchObject({
      verdict: "fail",
      reason: `helm failed: ${said}`,
    });
  });
});

describe("helmFailure", () => {
  it.each([
    ["Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress", "locked"],
    ["Error: UPGRADE FAILED: context deadline exceeded", "timeout"],
    ["Error: UPGRADE FAILED: timed out waiting for the condition", "timeout"],
    ["Error: Kubernetes cluster unreachable: dial tcp 127.0.0.1:1: connect: connection refused", "unreachable"],
    ["Error: Internal error occurred: failed to allocate a nodePort: range is full", "internal"],
    ['Error: UPGRADE FAILED: cannot patch "d" with kind Deployment: field is immutable', "other"],
  ])("%s", (stderr, failure) => expect(helmFailure(stderr)).toBe(failure));
});

it("finds the line in which helm says what went wrong", () => {
  expect(lastLine("level=WARN msg=x\nError: UPGRADE FAILED: y\n\n")).toBe("UPGRADE FAILED: y");
  expect(lastLine("")).toBe("helm said nothing");
});

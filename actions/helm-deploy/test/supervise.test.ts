import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ActionContext } from "../../shared/src/action-runtime/action.ts";
import { Log } from "../../shared/src/action-runtime/log.ts";
import { Redactor } from "../../shared/src/action-runtime/redaction.ts";
import type { Kubectl } from "../../shared/src/kubernetes/kubectl.ts";
import type { Helm } from "../src/helm.ts";
import { inspect, supervise } from "../src/supervise.ts";

/** What a real cluster answered about a release `d`. */
const recorded = (name: string) =>
  JSON.parse(readFileSync(join(import.meta.dirname, "../../shared/test/kubernetes/recorded", `${name}.json`), "utf8"));

/** A run with this Helm, or one that only inspects where there is none, on a cluster that goes through these states and stays in the last. */
function superviseOn(states: readonly string[], helm?: Pick<Helm, "run">) {
  const left = [...states];
  let time = 0;
  const lines: string[] = [];
  const namespace = `r-${states.at(-1)}`;
  const kubectl = {
    list: async () => (left.length > 1 ? recorded(left.shift() ?? "") : recorded(left[0] ?? "")),
    logs: async () => undefined,
    signal: new AbortController().signal,
  };
  const context = {
    log: new Log(new Redactor(() => undefined), (line) => lines.push(line)),
    signal: new AbortController().signal,
    clock: {
      now: () => time,
      sleep: async (milliseconds: number) => {
        await new Promise((resolve) => setImmediate(resolve));
        time += milliseconds;
      },
    },
  };
  const cluster = kubectl as unknown as Kubectl;
  const target = { release: "d", namespace };
  const given = context as unknown as ActionContext;
  return {
    lines,
    rollout: helm
      ? supervise([], target, 60_000, { helm: helm as Helm, kubectl: cluster }, given)
      : inspect(target, 60_000, { kubectl: cluster }, given),
  };
}

const ends = (exitCode: number, stderr = "") => ({ run: async () => ({ exitCode, stdout: "", stderr }) });

/** Ends only when it is stopped. */
const waits: Pick<Helm, "run"> = {
  run: (_, options) =>
    new Promise((_resolve, reject) => options?.signal?.addEventListener("abort", () => reject(options.signal?.reason))),
};

describe("supervise", () => {
  it("ends well when helm has and all pods are replaced", async () => {
    expect((await superviseOn(["healthy"], ends(0)).rollout).ended).toBe("well");
  });

  it("does not take helm's word for it: the rollout goes on until the pods are there, or its time is up", async () => {
    expect(await superviseOn(["unschedulable"], ends(0)).rollout).toMatchObject({
      ended: "badly",
      failure: "timeout",
      said: "helm ended well, but the rollout has not",
      diagnosis: { cause: "unschedulable" },
    });
  });

  it("stops a helm that waits in vain", async () => {
    const { rollout, lines } = superviseOn(["empty", "crash-loop"], waits);
    expect(await rollout).toMatchObject({ ended: "badly", diagnosis: { cause: "crash-loop" } });
    expect(lines).toContainEqual(expect.stringMatching(/^waiting on is hopeless: .*crashed 4 times/));
  });

  it("does not judge a state that helm has not changed yet", async () => {
    const helm = {
      run: async () => new Promise<never>((_, reject) => setTimeout(() => reject(new Error("end")), 100)),
    };
    const { rollout, lines } = superviseOn(["crash-loop"], helm);
    await expect(rollout).rejects.toThrow("end");
    expect(lines.join()).not.toContain("hopeless");
  });

  it("passes on what helm says, with the cause that the cluster shows", async () => {
    const failed = ends(1, "level=WARN\nError: UPGRADE FAILED: context deadline exceeded\n");
    expect(await superviseOn(["not-ready"], failed).rollout).toMatchObject({
      said: "UPGRADE FAILED: context deadline exceeded",
      failure: "timeout",
      diagnosis: { cause: "readiness-probe" },
      capture: { pods: [expect.stringContaining("running, not ready")] },
    });
  });
});

describe("inspect", () => {
  it("waits for the pods that are there, without Helm", async () => {
    expect((await superviseOn(["healthy"]).rollout).ended).toBe("well");
  });

  it("gives up on pods that cannot come up, whoever began them", async () => {
    const { rollout, lines } = superviseOn(["crash-loop"]);
    expect(await rollout).toMatchObject({ ended: "badly", diagnosis: { cause: "crash-loop" } });
    expect(lines).toContainEqual(expect.stringMatching(/^waiting on is hopeless: /));
  });
});

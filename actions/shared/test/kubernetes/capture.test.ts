import { describe, expect, it } from "vitest";
import { captureEvidence } from "../../src/kubernetes/capture.ts";
import { containerLog, type Kubectl } from "../../src/kubernetes/kubectl.ts";

const removed = "unable to retrieve container logs for containerd://0123456789abcdef";

describe("containerLog", () => {
  it("is none where the kubelet has removed it already", () => {
    expect(containerLog(removed)).toBeUndefined();
    expect(containerLog("\n")).toBeUndefined();
  });

  it("keeps every word of the container, also beside that sentence", () => {
    expect(containerLog("cannot load model\n  at line 3\n")).toBe("cannot load model\n  at line 3\n");
    expect(containerLog(`${removed}\nwords`)).toBe("words");
  });
});

describe("captureEvidence", () => {
  /** A cluster that answers the questions for a log one after the other; the last answer is given again and again. */
  async function capture(answers: readonly (string | undefined | Error)[]) {
    const asked: boolean[] = [];
    let waits = 0;
    const logs: Kubectl["logs"] = async (_namespace, _pod, _container, { previous }) => {
      const answer = answers[Math.min(asked.push(previous), answers.length) - 1];
      if (answer instanceof Error) throw answer;
      return answer;
    };
    const kubectl = { logs, signal: new AbortController().signal } as Kubectl;
    const diagnosis = { pod: "p", container: "c" } as Parameters<typeof captureEvidence>[4];
    const sleep = async () => {
      waits += 1;
    };
    const clock = { now: () => 0, sleep };
    const snapshot = { events: [] } as unknown as Parameters<typeof captureEvidence>[2];
    const { log } = await captureEvidence(kubectl, "n", snapshot, [], diagnosis, clock);
    return { log, asked, waits };
  }

  it("waits for the last words of a container that is between two lives", async () => {
    const { log, waits } = await capture([undefined, undefined, undefined, "the model\nis missing\n"]);
    expect(log).toEqual(["the model", "is missing"]);
    expect(waits).toBe(1);
  });

  it("takes the log of the life before first", async () => {
    expect(await capture(["words"])).toMatchObject({ log: ["words"], asked: [true], waits: 0 });
  });

  it("gives up after a few seconds, and is never a failure itself", async () => {
    expect(await capture([new Error("the pod is gone")])).toMatchObject({ log: [], waits: 3 });
  });
});

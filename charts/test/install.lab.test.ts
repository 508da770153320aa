// needs: helm
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { Registry } from "../../lab/src/images/registry.ts";
import { Progress } from "../../lab/src/progress/progress.ts";
import { additionModel } from "../../serving/test/onnx-file.ts";
import { buildFolder } from "../../tooling/src/build/compile.ts";
import { goProgram } from "../../tooling/src/check/tools.ts";
import { Release } from "./release.ts";
import { pushServerImages } from "./server-image.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 900_000 });

const { addresses } = inject("lab");
const name = `test/chart-${process.pid}`;
const repository = `${addresses.registry}/${name}`;
const releases: Release[] = [];
let digests: Record<"one" | "two", string>;
let helm3: string;

beforeAll(async () => {
  // The two versions of the image add 1 and 2 to what they are given.
  const model = (weight: number) => ({ "digits/1/model.onnx": additionModel([weight, weight]) });
  digests = await pushServerImages(addresses.registry, name, { one: model(1), two: model(2) });
  helm3 = await goProgram("helm3", new Progress({ logs: join(buildFolder, "logs") }));
});
afterAll(() => {
  for (const release of releases) release.remove();
});

it("pulls an image of less than 90 MB, the model's few bytes included", async () => {
  const manifest = await new Registry(`http://${addresses.registry}`).manifest(name, digests.one);
  const { layers } = JSON.parse(manifest?.content.toString() ?? "{}") as { layers: { size: number }[] };
  const bytes = layers.reduce((sum, { size }) => sum + size, 0);
  console.log(`compressed: ${(bytes / 1e6).toFixed(1)} MB in ${layers.length} layers`);
  expect(bytes).toBeGreaterThan(10e6);
  expect(bytes).toBeLessThan(90e6);
});

function fresh(helm: string): Release {
  const release = new Release(helm, `chart-${process.pid}-${releases.length}`);
  releases.push(release);
  return release;
}

/** Values that run one of the images, open on this machine. */
function running(image: "one" | "two"): string[] {
  const quick = "server.drainSeconds=2,service.type=NodePort,resources.limits.memory=1Gi";
  return ["--set", `image.repository=${repository},image.digest=${digests[image]},${quick}`];
}

/** Values of a golden case: 1 and 2 with that weight added. */
function golden(weight: number): string[] {
  const tensor = (tensorName: string, data: readonly number[]) => ({
    name: tensorName,
    datatype: "FP32",
    shape: [2],
    data,
  });
  const values = {
    model: "digits",
    request: { inputs: [tensor("x", [1, 2])] },
    outputs: [tensor("y", [1 + weight, 2 + weight])],
  };
  return ["--set-json", `test.golden=${JSON.stringify(values)}`];
}

describe.each(["3", "4"])("Helm %s", (major) => {
  let release: Release;
  beforeAll(() => {
    release = fresh(major === "3" ? helm3 : "helm");
  });

  it("installs a release that Pod Security restricted admits, and that answers", async () => {
    expect(await release.helm("version", "--short")).toMatch(new RegExp(`^v${major}\\.`));
    await release.upgrade(...running("one"), "--set", "replicaCount=2", ...golden(1));
    // The node learns of the port a moment after the pods are ready.
    await vi.waitFor(async () => expect(await release.sum()).toBe(1), { timeout: 15_000, interval: 500 });
  });

  it("tests it by a golden inference", async () => {
    const { code, output } = await release.try("test", "digits", "--timeout", "90s");
    expect(output).toMatch(/Phase:\s+Succeeded/);
    expect(code).toBe(0);
  });

  it("upgrades it, and no request fails meanwhile", async () => {
    const seen: number[] = [];
    const stop = new AbortController();
    const client = (async () => {
      while (!stop.signal.aborted) {
        seen.push(await release.sum());
        await wait(10);
      }
    })();
    await release.upgrade(...running("two"), "--set", "replicaCount=2", ...golden(1));
    // Until the last of the old pods is gone.
    await vi.waitFor(() => expect(release.images()).toEqual([`${repository}@${digests.two}`]), {
      timeout: 60_000,
      interval: 500,
    });
    stop.abort();
    await client;
    expect(new Set(seen)).toEqual(new Set([1, 2]));
    expect(seen.at(-1)).toBe(2);
  });

  it("fails the test of a release that gives other outputs", async () => {
    const { code, output } = await release.try("test", "digits", "--timeout", "90s");
    expect(code).not.toBe(0);
    expect(release.kubectl("logs", "digits-model-server-test"), output).toContain("y[0] is 3, not 2");
  });

  it("rolls it back", async () => {
    await release.helm("rollback", "digits", "1", "--wait", "--timeout", "3m");
    await vi.waitFor(async () => expect(await release.sum()).toBe(1), { timeout: 60_000, interval: 500 });
  });

  it("takes away all that it made", async () => {
    await release.helm("uninstall", "digits", "--wait", "--timeout", "2m");
    release.kubectl("delete", "pod,configmap", "digits-model-server-test", "--ignore-not-found");
    const kinds = "deployment,replicaset,pod,service,serviceaccount,poddisruptionbudget,configmap";
    await vi.waitFor(
      () => expect(release.kubectl("get", kinds, "-l", "app.kubernetes.io/instance=digits", "-o", "name")).toBe(""),
      { timeout: 60_000, interval: 500 },
    );
  });
});

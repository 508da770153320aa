// needs: helm
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test, vi } from "vitest";
import { Progress } from "../../lab/src/progress/progress.ts";
import { chooseCores } from "../../serving/bench/machine/cores.ts";
import { failed, LoadGenerator } from "../../serving/bench/machine/load.ts";
import { requestOf, type Way } from "../../serving/bench/wire/request.ts";
import { additionModel } from "../../serving/test/onnx-file.ts";
import { loadProgram } from "../../tooling/src/bench/serving.ts";
import { Release } from "./release.ts";
import { pushServerImages } from "./server-image.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 600_000 });

/** Requests a second, at even intervals whether or not earlier ones have been answered. */
const RATE = 200;

const { addresses } = inject("lab");
const name = `test/rolling-${process.pid}`;
const scratch = mkdtempSync(join(tmpdir(), "rolling-update-"));
let digests: Record<"one" | "two", string>;
let release: Release;
let generator: LoadGenerator;

beforeAll(async () => {
  // The two versions of the image add 1 and 2 to what they are given.
  const model = (weight: number) => ({ "digits/1/model.onnx": additionModel([weight, weight]) });
  digests = await pushServerImages(addresses.registry, name, { one: model(1), two: model(2) });
  const program = await loadProgram(new Progress({ logs: join(scratch, "logs") }));
  generator = new LoadGenerator(program, chooseCores().all, scratch);
  release = new Release("helm", `rolling-${process.pid}`);
  await update("one");
  // Helm knows that pods are ready; the node's rules for the new port follow.
  const isOpen = async () => expect((await fetch(`${release.url()}/v2/health/ready`)).status).toBe(200);
  await vi.waitFor(isOpen, { timeout: 60_000, interval: 200 });
});
afterAll(() => {
  release?.remove();
  rmSync(scratch, { recursive: true, force: true });
});

/** Updates the release to an image, with the chart's own settings, and waits until the pods before it are gone. */
async function update(image: "one" | "two"): Promise<void> {
  const from = `image.repository=${addresses.registry}/${name},image.digest=${digests[image]}`;
  await release.upgrade("--set", `${from},service.type=NodePort,replicaCount=2,resources.limits.memory=1Gi`);
  await vi.waitFor(() => expect(release.images()).toEqual([`${addresses.registry}/${name}@${digests[image]}`]), {
    timeout: 60_000,
    interval: 500,
  });
}

function request(way: Way) {
  const bytes = Buffer.from(Float32Array.of(10, 20).buffer);
  const inputs = [{ name: "x", datatype: "FP32", shape: [2], bytes }] as const;
  return requestOf({ model: "digits", repository: "", inputs, outputs: [] }, way);
}

/** Either version's answer is right; anything else is not. */
function faultOf(answer: Buffer): string | undefined {
  const { outputs } = JSON.parse(answer.toString()) as { outputs: { data: number[] }[] };
  const data = outputs[0]?.data.join();
  return data === "11,21" || data === "12,22" ? undefined : `it answered ${data}`;
}

test(`no request of ${RATE} a second fails or is answered wrong while pods are replaced, forth and back`, async () => {
  const address = { http: new URL(release.url()).host, grpc: "" };
  const target = generator.target(address, request("json"));
  const checked = target.expecting(await generator.once(target), faultOf);
  using load = generator.start(checked, { connections: 16, rate: RATE, seconds: 280, warmUp: 0 });
  await update("two");
  await update("one");
  const report = await load.finish();
  const { requests, errors, latency } = report;
  console.log(`${requests} requests, ${failed(report)} failed; p50 ${latency.p50} ms, p99 ${latency.p99} ms`);
  expect(errors).toEqual({});
  expect(failed(report)).toBe(0);
  expect(requests).toBeGreaterThan(RATE * 10);
});

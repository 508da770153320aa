// needs: helm
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { Progress } from "../../lab/src/progress/progress.ts";
import { buildFolder } from "../../tooling/src/build/compile.ts";
import { chart, listCases, pipelineValues } from "../../tooling/src/chart/render.ts";
import { kindSchemas } from "../../tooling/src/chart/schemas.ts";
import { root } from "../../tooling/src/repository/repository.ts";
import { apply, kubectl } from "./release.ts";

const { nodePorts = [30_000, 32_767] } = inject("lab").addresses;
const namespace = `accepted-${process.pid}`;
let definitions: string[];

beforeAll(async () => {
  const schemas = await kindSchemas(new Progress({ logs: join(buildFolder, "logs") }));
  definitions = readdirSync(schemas.definitions).map((name) => join(schemas.definitions, name));
  for (const file of definitions) apply(readFileSync(file, "utf8"), "--server-side");
  kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s");
  kubectl("create", "namespace", namespace);
});
afterAll(() => {
  for (const file of definitions) kubectl("delete", "-f", file, "--wait=false", "--ignore-not-found");
  kubectl("delete", "namespace", namespace, "--wait=false");
});

/** Two ports of the range that no Service has, also none that is still being deleted. */
function freeNodePorts(): readonly number[] {
  const path = "jsonpath={.items[*].spec.ports[*].nodePort}";
  const taken = new Set(kubectl("get", "services", "--all-namespaces", "--output", path).split(" ").map(Number));
  const [first, last] = nodePorts;
  const all = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  return all.filter((port) => !taken.has(port)).slice(-2);
}

/** The same manifests that a release would have, without the hooks. */
function manifests(values: string): string {
  const hasPorts = readFileSync(join(root, values), "utf8").includes("nodePort");
  const [http, grpc] = hasPorts ? freeNodePorts() : [];
  const fixed = hasPorts ? ["--set", `service.nodePort=${http},service.grpcNodePort=${grpc}`] : [];
  const flags = ["--namespace", namespace, "--no-hooks", "--kube-version", "1.35.0"];
  const args = ["template", "digits", chart, ...flags, ...pipelineValues, "--values", values, ...fixed];
  return execFileSync("helm", args, { cwd: root, encoding: "utf8" });
}

it.each(listCases())("the API server takes every field of %s", (values) => {
  const answer = apply(manifests(values), "--dry-run=server", "--validate=strict");
  expect(answer.trim().split("\n").length).toBeGreaterThan(1);
});

it("the API server refuses a field that nobody knows, so that the tests above mean something", () => {
  const wrong = manifests("charts/test/values/rollout-argo.yaml").replace("stableService:", "stabelService:");
  expect(() => apply(wrong, "--dry-run=server", "--validate=strict")).toThrow(/unknown field.*stabelService/);
});

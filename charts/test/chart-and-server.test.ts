// needs: helm
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FLAGS } from "../../serving/src/config/flags.ts";
import { readSettings, type Settings } from "../../serving/src/config/settings.ts";
import { identityModel } from "../../serving/test/onnx-file.ts";
import { ServerProcess, temporaryFolder } from "../../serving/test/server-process.ts";
import { dashboardQueries, metricsIn, ruleGroups } from "../../tooling/src/chart/queries.ts";
import { chart, type KubernetesObject, objectsIn, pipelineValues } from "../../tooling/src/chart/render.ts";
import { root } from "../../tooling/src/repository/repository.ts";

interface Container {
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
}

interface PodSpec {
  readonly containers: readonly [Container];
  readonly terminationGracePeriodSeconds: number;
}

function template(...args: readonly string[]): KubernetesObject[] {
  const command = ["template", "digits", chart, ...pipelineValues, ...args];
  return objectsIn(execFileSync("helm", command, { cwd: root, encoding: "utf8", stdio: "pipe" }));
}

/** The object of that kind and name. */
function objectOf(kind: string, name: string, ...args: readonly string[]): KubernetesObject {
  const found = template(...args).find((object) => object.kind === kind && object.metadata.name === name);
  if (!found) throw new Error(`the chart made no ${kind} ${name}`);
  return found;
}

function podSpec(...args: readonly string[]): PodSpec {
  const { spec } = objectOf("Deployment", "digits-model-server", ...args);
  return (spec as { readonly template: { readonly spec: PodSpec } }).template.spec;
}

/** The variables of the server's container, but those that name files, which are not there. */
function environmentOf({ containers: [server] }: PodSpec): Record<string, string> {
  const given = server.env.filter(({ name }) => !name.endsWith("_FILE"));
  return Object.fromEntries(given.map(({ name, value = "" }) => [name, value]));
}

const settingsOf = async (spec: PodSpec) => (await readSettings([], environmentOf(spec))) as Settings;

test("every setting of the chart is one that the server takes, with the same meaning", async () => {
  const settings = await settingsOf(podSpec("--values", "charts/test/values/everything.yaml"));
  expect(settings).toMatchObject({
    execution: { mode: "workers", batching: "auto", intraOpThreads: 2, queueLimit: 64 },
    requestTimeoutMs: 2_000,
    maxBodyBytes: 33_554_432,
    drainSeconds: 7,
    inFlightSeconds: 20,
    modelControl: true,
    repositoryPollSeconds: 30,
    logLevel: "warn",
  });
});

test("a chart's file of settings is one that the server takes", async () => {
  const config = objectOf("ConfigMap", "digits-model-server", "--values", "charts/test/values/everything.yaml");
  const { "config.json": text = "" } = config.data as Record<string, string>;
  const file = join(temporaryFolder({ "config.json": text }), "config.json");
  expect(await readSettings(["--config-file", file], {})).toMatchObject({
    logRequests: true,
    execution: { maxBatchSize: 64 },
  });
});

test("the chart knows every setting of the server but those that it makes itself", () => {
  const schema = JSON.parse(readFileSync(join(root, chart, "values.schema.json"), "utf8"));
  const known: string[] = schema.properties.server.properties.config.propertyNames.enum;
  const own = ["config-file", "model-repository", "drain-seconds", "in-flight-seconds"];
  const isOwn = (name: string) => own.includes(name) || /(^|-)port$|-file$/.test(name);
  const flags = Object.values(FLAGS).map(({ name }) => name);
  expect(known).toEqual(flags.filter((name) => !isOwn(name)).sort());
});

test("what nobody set is the server's own default", async () => {
  const { metricsPort, ...settings } = await settingsOf(podSpec());
  const { metricsPort: _, ...defaults } = (await readSettings([], {})) as Settings;
  expect(settings).toEqual(defaults);
  expect(metricsPort).toBe(8082);
});

test("the server listens where the chart says that it does", async () => {
  const spec = podSpec();
  const { port, grpcPort, metricsPort } = await settingsOf(spec);
  const ports = Object.fromEntries(spec.containers[0].ports.map(({ name, containerPort }) => [name, containerPort]));
  expect(ports).toEqual({ http: port, grpc: grpcPort, metrics: metricsPort });
});

test.each([0, 5, 60])("a pod gets longer to end than the server takes to drain for %i s", async (drainSeconds) => {
  const spec = podSpec("--set", `server.drainSeconds=${drainSeconds},server.inFlightSeconds=${2 * drainSeconds}`);
  const settings = await settingsOf(spec);
  expect(settings.drainSeconds).toBe(drainSeconds);
  expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(settings.drainSeconds + settings.inFlightSeconds);
});

test("alerts and dashboard ask for metrics and latency bounds that the server has", async () => {
  const server = await ServerProcess.serving({
    "digits/1/model.onnx": identityModel([{ name: "x", type: "FP32", shape: [1] }]),
  });
  try {
    const body = JSON.stringify({ inputs: [{ name: "x", datatype: "FP32", shape: [1], data: [0.5] }] });
    await (await fetch(`${server.url}/v2/models/digits/infer`, { method: "POST", body })).text();
    const text = await (await fetch(`${server.url}/metrics`)).text();
    const rules = ruleGroups(template("--values", "charts/test/values/everything.yaml"));
    const served = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
    const asked = metricsIn([...rules, dashboardQueries()]);
    expect(asked.length).toBeGreaterThan(8);
    expect(asked.filter((name) => !served.includes(name))).toEqual([]);
    expect(latencyBounds()).toEqual(boundsIn(text));
  } finally {
    await server.stop();
  }
});

/** The bounds that `prometheusRule.latencySeconds` may be. */
function latencyBounds(): number[] {
  const schema = JSON.parse(readFileSync(join(root, chart, "values.schema.json"), "utf8"));
  return schema.properties.prometheusRule.properties.latencySeconds.enum;
}

function boundsIn(metrics: string): number[] {
  const bounds = metrics.matchAll(/^model_server_request_duration_seconds_bucket\{.*le="([\d.]+)".*\} /gm);
  return [...bounds].map(([, bound]) => Number(bound));
}

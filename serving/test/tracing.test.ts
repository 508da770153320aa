import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { createLogger, type Logger } from "../src/logging/logger.ts";
import type { Catalog } from "../src/service.ts";
import { type Observation, observe } from "../src/telemetry/observe.ts";
import type { HeaderReader } from "../src/telemetry/telemetry.ts";

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** A span as OTLP's JSON has it. */
interface ExportedSpan {
  readonly traceId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code: number };
}

interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly ExportedSpan[] }[];
  }[];
}

/** Takes traces by OTLP/HTTP, as a collector does. */
class Collector {
  readonly requests: { readonly path: string; readonly type: string; readonly body: ExportRequest }[] = [];
  endpoint = "";

  static async start(answers = true): Promise<Collector> {
    const collector = new Collector();
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as ExportRequest;
      collector.requests.push({ path: request.url ?? "", type: request.headers["content-type"] ?? "", body });
      if (answers) response.setHeader("content-type", "application/json").end("{}");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    collector.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return collector;
  }

  get spans(): ExportedSpan[] {
    return this.requests.flatMap(({ body }) =>
      body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
    );
  }
}

const silent = createLogger({ level: "silent" });
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

/** The server's telemetry, configured by these variables alone. */
async function observed(
  variables: Readonly<Record<string, string>>,
  log: Logger = silent,
  logRequests = false,
): Promise<Observation> {
  for (const name of Object.keys(process.env)) if (name.startsWith("OTEL_")) vi.stubEnv(name, undefined);
  // The exporter reads the process's environment itself.
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  return observe("1.2.3", () => ({ index: () => [], models: () => [] }) as unknown as Catalog, log, { logRequests });
}

function headers(values: Readonly<Record<string, string>>): HeaderReader {
  return (name) => values[name];
}

const traced = headers({ traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: "vendor=x", "user-agent": "client/1" });

function attributesOf(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

test("a request is one span of its caller's trace, with the model, its times and its status", async () => {
  const collector = await Collector.start();
  const { telemetry, shutdown } = await observed({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint });
  const record = telemetry.begin("rest", traced);
  record.model("digits", "3");
  record.executed({ batchSize: 4, queueMs: [1, 2], computeInputMs: 1, computeInferMs: 8, computeOutputMs: 1 }, 2);
  record.finish("200");
  await shutdown();
  expect(collector.requests.map(({ path, type }) => [path, type])).toEqual([["/v1/traces", "application/json"]]);
  const [span] = collector.spans as [ExportedSpan];
  expect(span).toMatchObject({
    traceId: TRACE,
    parentSpanId: PARENT,
    traceState: "vendor=x",
    name: "infer digits",
    kind: 2,
    status: { code: 0 },
  });
  expect(attributesOf(span.attributes)).toEqual({
    "http.request.method": "POST",
    "http.response.status_code": 200,
    "user_agent.original": "client/1",
    "model_server.model.name": "digits",
    "model_server.model.version": "3",
    "model_server.batch.size": 4,
    "model_server.queue.duration": 0.002,
    "model_server.compute.duration": 0.01,
  });
  const [resource] = collector.requests[0]?.body.resourceSpans ?? [];
  expect(attributesOf(resource?.resource.attributes ?? [])).toMatchObject({
    "service.name": "model-server",
    "service.version": "1.2.3",
  });
});

test.each([
  ["rest", "400", 0, undefined],
  ["rest", "503", 2, "503"],
  ["grpc", "OK", 0, undefined],
  ["grpc", "INVALID_ARGUMENT", 0, undefined],
  ["grpc", "DEADLINE_EXCEEDED", 2, "DEADLINE_EXCEEDED"],
] as const)("a span of %s that ends with %s has status %i", async (protocol, status, code, type) => {
  const collector = await Collector.start();
  const { telemetry, shutdown } = await observed({ OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.endpoint}/` });
  telemetry.begin(protocol, headers({})).finish(status);
  await shutdown();
  const [span] = collector.spans as [ExportedSpan];
  expect(span).toMatchObject({ name: "infer", status: { code } });
  const attributes = attributesOf(span.attributes);
  expect(attributes["error.type"]).toBe(type);
  if (protocol === "grpc") {
    expect(attributes).toMatchObject({
      "rpc.system.name": "grpc",
      "rpc.method": "inference.GRPCInferenceService/ModelInfer",
      "rpc.status_code": status,
    });
  }
});

test("OpenTelemetry's variables name the service, the endpoint and what is sampled", async () => {
  const collector = await Collector.start();
  const { telemetry, shutdown } = await observed({
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1",
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.endpoint}/custom`,
    OTEL_SERVICE_NAME: "digits-api",
    OTEL_RESOURCE_ATTRIBUTES: "k8s.pod.name=p-1,service.name=ignored",
    OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
    OTEL_TRACES_SAMPLER_ARG: "0",
  });
  telemetry.begin("rest", headers({})).finish("200");
  telemetry.begin("rest", headers({ traceparent: `00-${TRACE}-${PARENT}-00` })).finish("200");
  telemetry.begin("rest", traced).finish("200");
  await shutdown();
  expect(collector.spans.map(({ parentSpanId }) => parentSpanId)).toEqual([PARENT]);
  expect(collector.requests[0]?.path).toBe("/custom");
  const [resource] = collector.requests[0]?.body.resourceSpans ?? [];
  expect(attributesOf(resource?.resource.attributes ?? [])).toMatchObject({
    "service.name": "digits-api",
    "k8s.pod.name": "p-1",
  });
});

test("spans are sent while the server runs, not only at its end", async () => {
  const collector = await Collector.start();
  const { telemetry, shutdown } = await observed({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_BSP_SCHEDULE_DELAY: "10",
  });
  telemetry.begin("rest", traced).finish("200");
  await expect.poll(() => collector.spans.length).toBe(1);
  await shutdown();
});

test.each([
  [{}],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_SDK_DISABLED: "true" }],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", OTEL_TRACES_EXPORTER: "none" }],
])("with %j nothing is traced, and only the metrics are kept", async (variables) => {
  const { telemetry, metrics, shutdown } = await observed(variables);
  expect(telemetry).toBe(metrics);
  await shutdown();
});

test.each([
  [{ OTEL_TRACES_SAMPLER: "some" }, "OTEL_TRACES_SAMPLER is 'some', expected one of always_on, always_off"],
  [{ OTEL_TRACES_SAMPLER: "toString" }, "OTEL_TRACES_SAMPLER is 'toString'"],
  [
    { OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "2" },
    "OTEL_TRACES_SAMPLER_ARG is '2', expected a number from 0 to 1",
  ],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: "junk" }, "OTEL_EXPORTER_OTLP_ENDPOINT is 'junk', expected a URL such as http://"],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "collector:4318" }, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is 'collector:4318'"],
  [{ OTEL_BSP_SCHEDULE_DELAY: "soon" }, "OTEL_BSP_SCHEDULE_DELAY is 'soon', expected a whole number above 0"],
])("refuses %j", async (variables, message) => {
  await expect(observed({ OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1", ...variables })).rejects.toThrow(message);
});

test("a collector that is gone or never answers holds up nobody, and is told of in the log", async () => {
  const mute = await Collector.start(false);
  for (const endpoint of ["http://127.0.0.1:1", mute.endpoint]) {
    const lines: string[] = [];
    const log = createLogger({ write: (line) => lines.push(line) });
    const { telemetry, shutdown } = await observed({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }, log);
    telemetry.begin("rest", traced).finish("200");
    await shutdown();
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({ level: "warn", message: "the last traces could not be sent" }),
    ]);
  }
});

test("request lines tell model, times and trace, and metrics are kept beside them", async () => {
  const collector = await Collector.start();
  const lines: string[] = [];
  const log = createLogger({ write: (line) => lines.push(line) });
  const variables = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint };
  const { telemetry, metrics, shutdown } = await observed(variables, log, true);
  const record = telemetry.begin("grpc", traced);
  record.model("digits", "3");
  record.executed({ batchSize: 1, queueMs: [0.5], computeInputMs: 0, computeInferMs: 2, computeOutputMs: 0 }, 0.5);
  record.finish("OK");
  await shutdown();
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    {
      time: expect.any(String),
      level: "info",
      message: "request",
      protocol: "grpc",
      traceId: TRACE,
      model: "digits",
      version: "3",
      batchSize: 1,
      queueMilliseconds: 0.5,
      computeMilliseconds: 2,
      status: "OK",
      milliseconds: expect.any(Number),
    },
  ]);
  expect(collector.spans).toHaveLength(1);
  expect(await metrics.text()).toMatch(/^model_server_info\{version="1\.2\.3"\} 1$/m);
});

/** The one file that knows OpenTelemetry's SDK; loaded when traces are wanted, not before. */
import {
  type Attributes,
  type DiagLogger,
  DiagLogLevel,
  diag,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  type Tracer,
} from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, type BatchSpanProcessorOptions, TracerProvider } from "@opentelemetry/sdk-trace";
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_RPC_METHOD,
  ATTR_RPC_STATUS_CODE,
  ATTR_RPC_SYSTEM_NAME,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_VERSION,
  ATTR_USER_AGENT_ORIGINAL,
  HTTP_REQUEST_METHOD_VALUE_POST,
  RPC_SYSTEM_NAME_VALUE_GRPC,
} from "@opentelemetry/semantic-conventions";
import { SettingsError } from "../config/error.ts";
import type { Execution } from "../execution/statistics.ts";
import type { Logger } from "../logging/logger.ts";
import { samplerOf } from "./sampler.ts";
import type { HeaderReader, Protocol } from "./telemetry.ts";
import type { TracedRequest, Tracing } from "./tracing.ts";

/** How long the end of the process may wait for a collector. */
const SHUTDOWN_LIMIT_MS = 2_000;
/** How often the same complaint of the SDK is logged: a collector that is down fails every few seconds. */
const REPEAT_MS = 60_000;
/** Codes that are the server's fault. https://opentelemetry.io/docs/specs/semconv/rpc/grpc/ */
const SERVER_FAULTS: ReadonlySet<string> = new Set([
  "UNKNOWN",
  "DEADLINE_EXCEEDED",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
]);

const START_ATTRIBUTES: Readonly<Record<Protocol, Attributes>> = {
  rest: { [ATTR_HTTP_REQUEST_METHOD]: HTTP_REQUEST_METHOD_VALUE_POST },
  grpc: {
    [ATTR_RPC_SYSTEM_NAME]: RPC_SYSTEM_NAME_VALUE_GRPC,
    [ATTR_RPC_METHOD]: "inference.GRPCInferenceService/ModelInfer",
  },
};

const headers: TextMapGetter<HeaderReader> = { keys: () => [], get: (read, name) => read(name) };

/** Sends a span of each sampled request by OTLP, as JSON over HTTP. */
export class OpenTelemetryTracing implements Tracing {
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;
  readonly #propagator = new W3CTraceContextPropagator();
  readonly #log: Logger;

  /** @throws SettingsError */
  constructor(environment: NodeJS.ProcessEnv, version: string, log: Logger) {
    this.#log = log;
    const sampler = samplerOf(environment);
    const batch = batchOptions(environment);
    diag.setLogger(diagnostics(log), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
    const own = { [ATTR_SERVICE_NAME]: "model-server", [ATTR_SERVICE_VERSION]: version };
    this.#provider = new TracerProvider({
      sampler,
      resource: defaultResource()
        .merge(resourceFromAttributes(own))
        .merge(detectResources({ detectors: [envDetector] })),
      // The exporter reads its own variables: endpoint, headers, time limit, certificates.
      spanProcessors: [new BatchSpanProcessor({ ...batch, exporter: new OTLPTraceExporter() })],
    });
    this.#tracer = this.#provider.getTracer("model-server", version);
    const protocol = environment.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL || environment.OTEL_EXPORTER_OTLP_PROTOCOL;
    if (protocol && protocol !== "http/json") log.warn("traces are sent as http/json", { asked: protocol });
  }

  begin(protocol: Protocol, header: HeaderReader): TracedRequest {
    const parent = this.#propagator.extract(ROOT_CONTEXT, header, headers);
    const attributes = { ...START_ATTRIBUTES[protocol] };
    const agent = header("user-agent");
    if (agent !== undefined) attributes[ATTR_USER_AGENT_ORIGINAL] = agent;
    return new RequestSpan(this.#tracer.startSpan("infer", { kind: SpanKind.SERVER, attributes }, parent), protocol);
  }

  async shutdown(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${SHUTDOWN_LIMIT_MS} ms`)), SHUTDOWN_LIMIT_MS);
    });
    try {
      await Promise.race([this.#provider.shutdown(), limit]);
    } catch (error) {
      this.#log.warn("the last traces could not be sent", { reason: messageOf(error) });
    } finally {
      clearTimeout(timer);
    }
  }
}

class RequestSpan implements TracedRequest {
  readonly #span: Span;
  readonly #protocol: Protocol;

  constructor(span: Span, protocol: Protocol) {
    this.#span = span;
    this.#protocol = protocol;
  }

  get traceId(): string | undefined {
    return this.#span.isRecording() ? this.#span.spanContext().traceId : undefined;
  }

  model(name: string, version: string): void {
    this.#span.updateName(`infer ${name}`);
    this.#span.setAttributes({ "model_server.model.name": name, "model_server.model.version": version });
  }

  executed({ batchSize, computeInputMs, computeInferMs, computeOutputMs }: Execution, queueMs: number): void {
    this.#span.setAttributes({
      "model_server.batch.size": batchSize,
      "model_server.queue.duration": queueMs / 1000,
      "model_server.compute.duration": (computeInputMs + computeInferMs + computeOutputMs) / 1000,
    });
  }

  finish(status: string): void {
    const isRest = this.#protocol === "rest";
    this.#span.setAttributes(
      isRest ? { [ATTR_HTTP_RESPONSE_STATUS_CODE]: Number(status) } : { [ATTR_RPC_STATUS_CODE]: status },
    );
    // To a server's span a client's mistake is no error.
    if (isRest ? Number(status) >= 500 : SERVER_FAULTS.has(status)) {
      this.#span.setAttribute(ATTR_ERROR_TYPE, status);
      this.#span.setStatus({ code: SpanStatusCode.ERROR });
    }
    this.#span.end();
  }
}

/** Batching by OTEL_BSP_…; the SDK for Node leaves them to its users. */
function batchOptions(environment: NodeJS.ProcessEnv): Omit<BatchSpanProcessorOptions, "exporter"> {
  const number = (variable: string) => {
    const text = environment[variable];
    if (!text) return undefined;
    if (!/^[1-9]\d{0,8}$/.test(text))
      throw new SettingsError(`${variable} is '${text}', expected a whole number above 0`);
    return Number(text);
  };
  const options = {
    scheduledDelayMillis: number("OTEL_BSP_SCHEDULE_DELAY"),
    exportTimeoutMillis: number("OTEL_BSP_EXPORT_TIMEOUT"),
    maxQueueSize: number("OTEL_BSP_MAX_QUEUE_SIZE"),
    maxExportBatchSize: number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE"),
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** What the SDK complains of goes to the log, the same complaint not again and again. */
function diagnostics(log: Logger): DiagLogger {
  const last = { message: "", time: Number.NEGATIVE_INFINITY };
  const warn = (message: string) => {
    const now = performance.now();
    if (message === last.message && now - last.time < REPEAT_MS) return;
    last.message = message;
    last.time = now;
    log.warn("tracing", { reason: reasonOf(message) });
  };
  return { error: warn, warn, info: () => undefined, debug: () => undefined, verbose: () => undefined };
}

/** The SDK writes errors as JSON, stack and all. */
function reasonOf(message: string): string {
  try {
    const parsed = JSON.parse(message) as { readonly message?: unknown } | null;
    return typeof parsed?.message === "string" ? parsed.message : message;
  } catch {
    return message;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import { SettingsError } from "../config/error.ts";
import type { Logger } from "../logging/logger.ts";
import type { HeaderReader, Protocol, RequestRecord } from "./telemetry.ts";

/** Where traces are sent to; one of them turns them on. */
const ENDPOINTS = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] as const;

/** A request that is a span of a trace. */
export interface TracedRequest extends RequestRecord {
  /** Undefined when the trace is not sampled. */
  readonly traceId: string | undefined;
}

/** Makes a span of each inference request. */
export interface Tracing {
  begin(protocol: Protocol, header: HeaderReader): TracedRequest;
  /** Sends the spans that are not sent yet; gives up when that takes too long. */
  shutdown(): Promise<void>;
}

/**
 * Tracing, when OpenTelemetry's variables name where to send traces. Its libraries are loaded only then: outside the image,
 * where they are bundled, they take some 80 ms and 20 MB.
 *
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 *
 * @param version this server's own version
 * @throws SettingsError when a variable cannot be used
 */
export async function startTracing(
  environment: NodeJS.ProcessEnv,
  version: string,
  log: Logger,
): Promise<Tracing | undefined> {
  if (!isConfigured(environment)) return undefined;
  for (const variable of ENDPOINTS) checkEndpoint(variable, environment[variable]);
  const { OpenTelemetryTracing } = await import("./open-telemetry.ts");
  return new OpenTelemetryTracing(environment, version, log);
}

function isConfigured(environment: NodeJS.ProcessEnv): boolean {
  if (environment.OTEL_SDK_DISABLED?.toLowerCase() === "true" || environment.OTEL_TRACES_EXPORTER === "none")
    return false;
  return ENDPOINTS.some((variable) => Boolean(environment[variable]));
}

/** The SDK says of another that it sends to its default instead, where there is no collector. */
function checkEndpoint(variable: string, text: string | undefined): void {
  if (!text || /^https?:$/.test(URL.parse(text)?.protocol ?? "")) return;
  throw new SettingsError(`${variable} is '${text}', expected a URL such as http://collector:4318`);
}

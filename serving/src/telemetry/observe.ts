import type { Execution, ExecutionListener } from "../execution/statistics.ts";
import type { Logger } from "../logging/logger.ts";
import type { MetricsText } from "../rest/handler.ts";
import type { Catalog } from "../service.ts";
import { Metrics } from "./metrics.ts";
import { LoggedRequest } from "./request-log.ts";
import type { HeaderReader, Protocol, RequestRecord, Telemetry } from "./telemetry.ts";
import { startTracing, type Tracing } from "./tracing.ts";

/** Everything that the server tells about itself. */
export interface Observation {
  readonly telemetry: Telemetry;
  readonly metrics: MetricsText;
  /** Sends what is not yet sent, within a bound. */
  shutdown(): Promise<void>;
}

export interface ObserveOptions {
  /** Whether each inference request gets a line in the log. */
  readonly logRequests?: boolean;
  readonly environment?: NodeJS.ProcessEnv;
}

/**
 * Metrics always, traces where OpenTelemetry's variables ask for them, lines of the log where a setting does.
 *
 * @param version this server's own version
 * @param catalog asked for the models at each scrape, not before
 * @throws SettingsError when one of OpenTelemetry's variables cannot be used
 */
export async function observe(
  version: string,
  catalog: () => Catalog,
  log: Logger,
  { logRequests = false, environment = process.env }: ObserveOptions = {},
): Promise<Observation> {
  const metrics = new Metrics(version, catalog);
  const tracing = await startTracing(environment, version, log);
  const isPlain = tracing === undefined && !logRequests;
  return {
    telemetry: isPlain ? metrics : new ObservedTelemetry(metrics, tracing, logRequests ? log : undefined),
    metrics,
    shutdown: async () => tracing?.shutdown(),
  };
}

/** Metrics together with traces, request lines, or both. */
class ObservedTelemetry implements Telemetry {
  readonly #metrics: Metrics;
  readonly #tracing: Tracing | undefined;
  readonly #requestLog: Logger | undefined;

  constructor(metrics: Metrics, tracing: Tracing | undefined, requestLog: Logger | undefined) {
    this.#metrics = metrics;
    this.#tracing = tracing;
    this.#requestLog = requestLog;
  }

  begin(protocol: Protocol, header: HeaderReader): RequestRecord {
    const records = [this.#metrics.begin(protocol, header)];
    const span = this.#tracing?.begin(protocol, header);
    if (span !== undefined) records.push(span);
    if (this.#requestLog !== undefined) records.push(new LoggedRequest(this.#requestLog, protocol, span?.traceId));
    return new SeveralRecords(records);
  }

  executions(model: string, version: string): ExecutionListener {
    return this.#metrics.executions(model, version);
  }
}

class SeveralRecords implements RequestRecord {
  readonly #records: readonly RequestRecord[];

  constructor(records: readonly RequestRecord[]) {
    this.#records = records;
  }

  model(name: string, version: string): void {
    for (const record of this.#records) record.model(name, version);
  }

  executed(execution: Execution, queueMs: number): void {
    for (const record of this.#records) record.executed(execution, queueMs);
  }

  finish(status: string): void {
    for (const record of this.#records) record.finish(status);
  }
}

import type { Execution } from "../execution/statistics.ts";
import type { Logger } from "../logging/logger.ts";
import type { Protocol, RequestRecord } from "./telemetry.ts";

/** One line for each inference request: what answered, how, and how long it took. Never its data. */
export class LoggedRequest implements RequestRecord {
  readonly #log: Logger;
  readonly #fields: Record<string, string | number>;
  readonly #begun = performance.now();

  /** @param traceId of the trace that the request belongs to */
  constructor(log: Logger, protocol: Protocol, traceId: string | undefined) {
    this.#log = log;
    this.#fields = { protocol, ...(traceId === undefined ? {} : { traceId }) };
  }

  model(name: string, version: string): void {
    this.#fields.model = name;
    this.#fields.version = version;
  }

  executed({ batchSize, computeInferMs }: Execution, queueMs: number): void {
    this.#fields.batchSize = batchSize;
    this.#fields.queueMilliseconds = rounded(queueMs);
    this.#fields.computeMilliseconds = rounded(computeInferMs);
  }

  finish(status: string): void {
    const milliseconds = rounded(performance.now() - this.#begun);
    this.#log.info("request", { ...this.#fields, status, milliseconds });
  }
}

/** Microseconds are as fine as these times are. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

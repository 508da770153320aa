import type { Execution } from "../execution/statistics.ts";
import { Histogram } from "./histogram.ts";
import type { Protocol } from "./telemetry.ts";

/** Upper bounds in seconds. */
const DURATIONS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Upper bounds in rows. */
const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128];

const MS_PER_SECOND = 1000;

/** Requests that came by one protocol. */
export class ProtocolSeries {
  readonly requests = new Map<string, number>();
  readonly duration = new Histogram(DURATIONS);

  record(status: string, durationMs: number): void {
    this.requests.set(status, (this.requests.get(status) ?? 0) + 1);
    this.duration.observe(durationMs / MS_PER_SECOND);
  }
}

/** What is counted of one version of one model. */
export class ModelSeries {
  readonly model: string;
  readonly version: string;
  readonly protocols = new Map<Protocol, ProtocolSeries>();
  readonly queue = new Histogram(DURATIONS);
  readonly compute = new Histogram(DURATIONS);
  readonly batchSize = new Histogram(BATCH_SIZES);

  constructor(model: string, version: string) {
    this.model = model;
    this.version = version;
  }

  recordRequest(protocol: Protocol, status: string, durationMs: number): void {
    let series = this.protocols.get(protocol);
    if (series === undefined) {
      series = new ProtocolSeries();
      this.protocols.set(protocol, series);
    }
    series.record(status, durationMs);
  }

  recordExecution({ batchSize, queueMs, computeInputMs, computeInferMs, computeOutputMs }: Execution): void {
    for (const wait of queueMs) this.queue.observe(wait / MS_PER_SECOND);
    this.compute.observe((computeInputMs + computeInferMs + computeOutputMs) / MS_PER_SECOND);
    this.batchSize.observe(batchSize);
  }
}

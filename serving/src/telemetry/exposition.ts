import { collectDefaultMetrics, type Metric, Registry } from "prom-client";
import type { Catalog } from "../service.ts";
import type { Histogram } from "./histogram.ts";
import type { ModelSeries } from "./model-series.ts";

/** What a scrape finds. */
export interface Scrape {
  /** The server's own version. */
  readonly version: string;
  readonly series: readonly ModelSeries[];
  readonly catalog: Catalog;
}

type Labels = Readonly<Record<string, string | number>>;

interface Sample {
  /** Where it differs from the metric's, as in a histogram's buckets. */
  readonly metricName?: string;
  readonly labels: Labels;
  readonly value: number;
}

interface Definition {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  samples(scrape: Scrape): readonly Sample[];
}

const requests: Definition = {
  name: "model_server_requests_total",
  help: "Inference requests answered, by HTTP status or name of the gRPC code. model is empty when it is not known.",
  type: "counter",
  samples: ({ series }) =>
    series.flatMap((one) =>
      [...one.protocols].flatMap(([protocol, { requests: statuses }]) =>
        [...statuses].map(([status, value]) => ({ labels: { ...labelsOf(one), protocol, status }, value })),
      ),
    ),
};

const requestDuration: Definition = {
  name: "model_server_request_duration_seconds",
  help: "Time from an inference request's arrival, its body read, to its answer.",
  type: "histogram",
  samples: ({ series }) =>
    series.flatMap((one) =>
      [...one.protocols].flatMap(([protocol, { duration }]) =>
        buckets(requestDuration.name, { ...labelsOf(one), protocol }, duration),
      ),
    ),
};

const queueDuration: Definition = {
  name: "model_server_queue_duration_seconds",
  help: "Time that a request waited for its model to run.",
  type: "histogram",
  samples: ({ series }) => executed(series).flatMap((one) => buckets(queueDuration.name, labelsOf(one), one.queue)),
};

const computeDuration: Definition = {
  name: "model_server_compute_duration_seconds",
  help: "Time of one run of a model, for all the requests of its batch: gathering inputs, computing, parting outputs.",
  type: "histogram",
  samples: ({ series }) => executed(series).flatMap((one) => buckets(computeDuration.name, labelsOf(one), one.compute)),
};

const batchSize: Definition = {
  name: "model_server_batch_size",
  help: "Rows that one run of a model computed together.",
  type: "histogram",
  samples: ({ series }) => executed(series).flatMap((one) => buckets(batchSize.name, labelsOf(one), one.batchSize)),
};

const pendingRequests: Definition = {
  name: "model_server_pending_requests",
  help: "Requests that wait or run.",
  type: "gauge",
  samples: ({ catalog }) => catalog.models().map((model) => ({ labels: labelsOf(model), value: model.pending })),
};

const modelReady: Definition = {
  name: "model_server_model_ready",
  help: "1 when that version of the model answers requests, 0 when it does not.",
  type: "gauge",
  samples: ({ catalog }) =>
    catalog
      .index()
      .map(({ name, version, state }) => ({ labels: { model: name, version }, value: state === "READY" ? 1 : 0 })),
};

const info: Definition = {
  name: "model_server_info",
  help: "1, with the server's version as a label.",
  type: "gauge",
  samples: ({ version }) => [{ labels: { version }, value: 1 }],
};

/** How often the lag of the event loop is looked at, in milliseconds. */
const LAG_EVERY_MS = 100;

const DEFINITIONS: readonly Definition[] = [
  requests,
  requestDuration,
  queueDuration,
  computeDuration,
  batchSize,
  pendingRequests,
  modelReady,
  info,
];

/** Prints the server's metrics, and with them the process's and Node's, in Prometheus' text format. */
export class Exposition {
  readonly #registry = new Registry();

  /** @param scrape called once for each metric of each scrape */
  constructor(scrape: () => Scrape) {
    for (const { samples, ...metric } of DEFINITIONS) {
      // What the registry asks of a metric is its values, by this method; the type names prom-client's classes, whose
      // histogram can be filled by nothing but observations.
      const exposed = { ...metric, get: async () => ({ ...metric, values: samples(scrape()) }) };
      this.#registry.registerMetric(exposed as unknown as Metric<string>);
    }
    // The event loop's lag is told by a timer; at prom-client's 10 ms it wakes an idle process a hundred times a second.
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: LAG_EVERY_MS });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

/** Those whose model ran: the others, requests of no known model, have no executions to show. */
function executed(series: readonly ModelSeries[]): ModelSeries[] {
  return series.filter(({ model }) => model !== "");
}

function labelsOf(one: ModelSeries | { readonly name: string; readonly version: string }): Labels {
  return { model: "model" in one ? one.model : one.name, version: one.version };
}

function buckets(name: string, labels: Labels, histogram: Histogram): Sample[] {
  const { bounds, sum, count } = histogram;
  const counts = histogram.cumulative();
  return [
    ...bounds.map((le, index) => ({
      metricName: `${name}_bucket`,
      labels: { ...labels, le },
      value: counts[index] ?? 0,
    })),
    { metricName: `${name}_bucket`, labels: { ...labels, le: "+Inf" }, value: count },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}

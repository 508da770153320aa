import type { ExecutionListener } from "../execution/statistics.ts";
import type { Catalog, IndexEntry } from "../service.ts";
import { Exposition } from "./exposition.ts";
import { ModelSeries } from "./model-series.ts";
import type { HeaderReader, Protocol, RequestRecord, Telemetry } from "./telemetry.ts";

/** Counts requests and executions for Prometheus. */
export class Metrics implements Telemetry {
  readonly #catalog: () => Catalog;
  readonly #exposition: Exposition;
  /** By model, then version. */
  readonly #series = new Map<string, Map<string, ModelSeries>>();

  /**
   * @param version this server's own version
   * @param catalog asked at each scrape, not before
   */
  constructor(version: string, catalog: () => Catalog) {
    this.#catalog = catalog;
    this.#exposition = new Exposition(() => ({
      version,
      series: [...this.#series.values()].flatMap((versions) => [...versions.values()]),
      catalog: catalog(),
    }));
  }

  begin(protocol: Protocol, _header: HeaderReader): RequestRecord {
    return new CountedRequest(this, protocol);
  }

  executions(model: string, version: string): ExecutionListener {
    // Looked up each time: series of a model that was unloaded go, and it may come back.
    return (execution) => this.series(model, version).recordExecution(execution);
  }

  /** The series of one version of a model; empty names stand for requests of no known model. */
  series(model: string, version: string): ModelSeries {
    let versions = this.#series.get(model);
    if (versions === undefined) {
      versions = new Map();
      this.#series.set(model, versions);
    }
    let series = versions.get(version);
    if (series === undefined) {
      series = new ModelSeries(model, version);
      versions.set(version, series);
    }
    return series;
  }

  get contentType(): string {
    return this.#exposition.contentType;
  }

  /** What a scrape is answered. */
  text(): Promise<string> {
    this.#forget(this.#catalog());
    return this.#exposition.text();
  }

  /** Drops the series of versions that are served no more: nobody would ever hear that they ended. */
  #forget(catalog: Catalog): void {
    const kept = new Set(catalog.index().filter(isKept).map(key));
    for (const { name, version } of catalog.models()) kept.add(key({ name, version }));
    for (const [name, versions] of this.#series) {
      for (const version of versions.keys()) {
        if (name !== "" && !kept.has(key({ name, version }))) versions.delete(version);
      }
      if (versions.size === 0) this.#series.delete(name);
    }
  }
}

function isKept({ state }: IndexEntry): boolean {
  return state !== "UNAVAILABLE";
}

function key({ name, version }: { readonly name: string; readonly version: string }): string {
  return `${version}/${name}`;
}

class CountedRequest implements RequestRecord {
  readonly #metrics: Metrics;
  readonly #protocol: Protocol;
  readonly #begun = performance.now();
  #model = "";
  #version = "";

  constructor(metrics: Metrics, protocol: Protocol) {
    this.#metrics = metrics;
    this.#protocol = protocol;
  }

  model(name: string, version: string): void {
    this.#model = name;
    this.#version = version;
  }

  /** Counted by the model's listener, once for all the requests of the batch. */
  executed(): void {}

  finish(status: string): void {
    const series = this.#metrics.series(this.#model, this.#version);
    series.recordRequest(this.#protocol, status, performance.now() - this.#begun);
  }
}

import { expect, test } from "vitest";
import type { Execution } from "../src/execution/statistics.ts";
import type { Model } from "../src/models/model.ts";
import type { Catalog, IndexEntry } from "../src/service.ts";
import { Metrics } from "../src/telemetry/metrics.ts";

/** A catalog whose models are what the test says. */
class Models {
  entries: IndexEntry[] = [];
  pending = 0;

  set(...states: readonly (readonly [string, string, IndexEntry["state"]])[]): void {
    this.entries = states.map(([name, version, state]) => ({ name, version, state, reason: "" }));
  }

  get catalog(): Catalog {
    const ready = this.entries.filter(({ state }) => state === "READY");
    const models = ready.map(({ name, version }) => ({ name, version, pending: this.pending }) as Model);
    return { index: () => this.entries, models: () => models } as unknown as Catalog;
  }
}

function setUp(): { readonly metrics: Metrics; readonly models: Models; samples(): Promise<Record<string, number>> } {
  const models = new Models();
  models.set(["m", "1", "READY"]);
  const metrics = new Metrics("1.2.3", () => models.catalog);
  return { metrics, models, samples: async () => samplesOf(await metrics.text()) };
}

/** Samples of the text format, by name and labels as they stand. */
function samplesOf(text: string): Record<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(
    lines.map((line): [string, number] => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

function execution(batchSize: number, queueMs: readonly number[], computeInferMs: number): Execution {
  return { batchSize, queueMs, computeInputMs: 0.25, computeInferMs, computeOutputMs: 0.25 };
}

const none = () => undefined;

test("counts requests by model, version, protocol and status, with their time", async () => {
  const { metrics, samples } = setUp();
  for (const status of ["200", "200", "400"]) {
    const record = metrics.begin("rest", none);
    record.model("m", "1");
    record.finish(status);
  }
  const record = metrics.begin("grpc", none);
  record.model("m", "1");
  record.finish("OK");
  const found = await samples();
  expect(found).toMatchObject({
    'model_server_requests_total{model="m",version="1",protocol="rest",status="200"}': 2,
    'model_server_requests_total{model="m",version="1",protocol="rest",status="400"}': 1,
    'model_server_requests_total{model="m",version="1",protocol="grpc",status="OK"}': 1,
    'model_server_request_duration_seconds_bucket{model="m",version="1",protocol="rest",le="+Inf"}': 3,
    'model_server_request_duration_seconds_count{model="m",version="1",protocol="rest"}': 3,
    'model_server_request_duration_seconds_count{model="m",version="1",protocol="grpc"}': 1,
  });
  const sum = found['model_server_request_duration_seconds_sum{model="m",version="1",protocol="rest"}'];
  expect(sum).toBeGreaterThan(0);
  expect(sum).toBeLessThan(10);
});

test("a request of no known model has empty labels, whatever it named", async () => {
  const { metrics, samples } = setUp();
  metrics.begin("rest", none).finish("404");
  metrics.begin("rest", none).finish("404");
  await samples();
  const found = await samples();
  expect(found['model_server_requests_total{model="",version="",protocol="rest",status="404"}']).toBe(2);
  expect(Object.keys(found).filter((name) => name.startsWith("model_server_queue"))).toEqual([]);
});

test("queue, compute and batch sizes fall into the buckets that their bounds say, bounds included", async () => {
  const { metrics, samples } = setUp();
  const listen = metrics.executions("m", "1");
  listen(execution(2, [0.5, 0.6], 0.5));
  listen(execution(1, [20_000], 3));
  const found = await samples();
  const bucket = (name: string, le: string) => found[`model_server_${name}_bucket{model="m",version="1",le="${le}"}`];
  expect(["0.0005", "0.001", "10", "+Inf"].map((le) => bucket("queue_duration_seconds", le))).toEqual([1, 2, 2, 3]);
  expect(["0.0005", "0.001", "0.0025", "0.005"].map((le) => bucket("compute_duration_seconds", le))).toEqual([
    0, 1, 1, 2,
  ]);
  expect(["1", "2", "128"].map((le) => bucket("batch_size", le))).toEqual([1, 2, 2]);
  expect(found['model_server_queue_duration_seconds_sum{model="m",version="1"}']).toBeCloseTo(20.0011, 9);
  expect(found['model_server_compute_duration_seconds_sum{model="m",version="1"}']).toBeCloseTo(0.0045, 9);
  expect(found['model_server_batch_size_sum{model="m",version="1"}']).toBe(3);
  const bounds = (name: string) =>
    Object.keys(found).flatMap(
      (sample) => new RegExp(`^model_server_${name}_bucket{.*,le="([^"]+)"`).exec(sample)?.[1] ?? [],
    );
  const durations = "0.0005 0.001 0.0025 0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10 +Inf".split(" ");
  expect(bounds("queue_duration_seconds")).toEqual(durations);
  expect(bounds("compute_duration_seconds")).toEqual(durations);
  expect(bounds("batch_size")).toEqual("1 2 4 8 16 32 64 128 +Inf".split(" "));
});

test("shows what is pending and ready at the time of the scrape", async () => {
  const { models, samples } = setUp();
  models.set(["m", "1", "READY"], ["m", "2", "LOADING"], ["broken", "1", "UNAVAILABLE"]);
  models.pending = 3;
  expect(await samples()).toMatchObject({
    'model_server_pending_requests{model="m",version="1"}': 3,
    'model_server_model_ready{model="m",version="1"}': 1,
    'model_server_model_ready{model="m",version="2"}': 0,
    'model_server_model_ready{model="broken",version="1"}': 0,
    'model_server_info{version="1.2.3"}': 1,
  });
  models.pending = 0;
  expect((await samples())['model_server_pending_requests{model="m",version="1"}']).toBe(0);
});

test("series of a model that was unloaded go; when it comes back its executions are counted anew", async () => {
  const { metrics, models, samples } = setUp();
  const listen = metrics.executions("m", "1");
  const record = metrics.begin("rest", none);
  record.model("m", "1");
  listen(execution(1, [0], 1));
  record.finish("200");
  const own = async () => Object.keys(await samples()).filter((name) => name.includes('model="m"'));
  models.set(["m", "1", "LOADING"]);
  expect(await own()).toContain('model_server_batch_size_count{model="m",version="1"}');
  models.set(["m", "1", "UNAVAILABLE"]);
  expect(await own()).toEqual(['model_server_model_ready{model="m",version="1"}']);
  models.set();
  expect(await own()).toEqual([]);
  models.set(["m", "1", "READY"]);
  listen(execution(1, [0], 1));
  expect((await samples())['model_server_batch_size_count{model="m",version="1"}']).toBe(1);
});

test("a model's name is text, whatever is in it", async () => {
  const { metrics, models, samples } = setUp();
  models.set(['a"b\\c', "1", "READY"]);
  const record = metrics.begin("rest", none);
  record.model('a"b\\c', "1");
  record.finish("200");
  const name = 'model_server_requests_total{model="a\\"b\\\\c",version="1",protocol="rest",status="200"}';
  expect((await samples())[name]).toBe(1);
});

test("tells of the process and of Node too, in the text format", async () => {
  const { metrics } = setUp();
  const text = await metrics.text();
  expect(metrics.contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
  for (const name of [
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_open_fds",
    "nodejs_eventloop_lag_p99_seconds",
    "nodejs_heap_size_used_bytes",
  ]) {
    expect(text).toMatch(new RegExp(`^${name} [0-9.e+-]+$`, "m"));
  }
  for (const name of ["requests_total counter", "request_duration_seconds histogram", "pending_requests gauge"]) {
    expect(text).toContain(`# TYPE model_server_${name}\n`);
  }
});

/**
 * The limit of any server on ONNX Runtime's binding for Node: one inference after the other, and nothing else.
 *
 * Run as `node runtime-loop.ts MODEL INPUT NAME TYPE SHAPE WARM-UP SECONDS`: INPUT is a file with the tensor's bytes, TYPE
 * the runtime's name of its datatype, SHAPE is written as `1,2048`. Prints a load report.
 */
import { readFileSync } from "node:fs";

process.env.ORT_DISABLE_TELEMETRY = "1";
const { InferenceSession, Tensor } = await import("onnxruntime-node");

const [model = "", input = "", name = "", type = "", shape = "", warmUp = "", seconds = ""] = process.argv.slice(2);
const session = await InferenceSession.create(model, {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 3,
});
const bytes = new Uint8Array(readFileSync(input)).buffer;
const data = type === "int32" ? new Int32Array(bytes) : new Float32Array(bytes);
const feeds = { [name]: new Tensor(type as "int32", data as Int32Array, shape.split(",").map(Number)) };

const latencies: number[] = [];
const begin = performance.now();
const count = begin + Number(warmUp) * 1000;
const end = count + Number(seconds) * 1000;
for (let started = begin; started < end; ) {
  await session.run(feeds);
  const now = performance.now();
  if (started >= count && now <= end) latencies.push(now - started);
  started = now;
}

latencies.sort((one, other) => one - other);
const at = (share: number) => latencies[Math.ceil(share * latencies.length) - 1] ?? 0;
const none = { p50: 0, p90: 0, p99: 0, max: 0 };
const report = {
  requests: latencies.length,
  succeeded: latencies.length,
  errors: {},
  variants: [],
  seconds: Number(seconds),
  throughput: latencies.length / Number(seconds),
  latency: { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) },
  lateness: none,
  cpu: 0,
};
console.log(JSON.stringify(report));

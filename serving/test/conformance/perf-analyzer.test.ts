// needs: perf-analyzer, libb64
import { execFile } from "node:child_process";
import { globSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { identityModel } from "../onnx-file.ts";
import { ServerProcess } from "../server-process.ts";
import { commandOf } from "./python.ts";

const REQUESTS = 100;
const COUNTED = ["--request-count", String(REQUESTS)];
// Ends after three windows however much their figures differ: a busy machine is not what is tested here.
const IN_WINDOWS = ["--measurement-mode", "count_windows", "--measurement-request-count", String(REQUESTS)];
const THREE_WINDOWS = [...IN_WINDOWS, "--max-trials", "3", "--stability-percentage", "1000000"];

let server: ServerProcess;

beforeAll(async () => {
  const model = identityModel([{ name: "x", type: "FP32", shape: ["rows", "columns"] }]);
  server = await ServerProcess.serving({ "rows/1/model.onnx": model }, ["--grpc-port", "0"]);
});

afterAll(() => server.stop());

test.each([
  ["over HTTP", "http", COUNTED, 1],
  ["over HTTP in JSON", "http", [...COUNTED, "--input-tensor-format", "json", "--output-tensor-format", "json"], 1],
  ["over HTTP with batches of four", "http", [...COUNTED, "-b", "4"], 4],
  ["over gRPC", "grpc", COUNTED, 1],
  ["over gRPC, four at once", "grpc", [...COUNTED, "--async", "--concurrency-range", "4"], 1],
  ["over a gRPC stream", "grpc", [...COUNTED, "--streaming", "--concurrency-range", "2"], 1],
] as const)(
  "Triton's perf_analyzer measures the server %s, and reads the server's statistics, which count each request",
  async (_way, protocol, options, batch) => {
    const before = await statistics();
    const { client, server: counted } = await analyze(protocol, options);
    const after = await statistics();
    expect(after.requests - before.requests).toBe(REQUESTS);
    expect(after.inferences - before.inferences).toBe(REQUESTS * batch);
    expect(figure(client, /Throughput: ([\d.]+) infer\/sec/)).toBeGreaterThan(0);
    expect(figure(client, /Request count: (\d+)/)).toBe(REQUESTS);
    // It reads the statistics while its first requests are on their way already: they may be missing from its count.
    const seen = figure(counted, /Successful request count: (\d+)/);
    expect(seen).toBeGreaterThan(REQUESTS / 2);
    expect(figure(counted, /Inference count: (\d+)/)).toBe(seen * batch);
    expect(figure(counted, /compute infer (\d+) usec/)).toBeGreaterThan(0);
  },
  30_000,
);

test.each(["http", "grpc"] as const)(
  "Triton's perf_analyzer measures the server in windows over %s",
  async (protocol) => {
    const { client, server: counted } = await analyze(protocol, THREE_WINDOWS);
    expect(figure(client, /Throughput: ([\d.]+) infer\/sec/)).toBeGreaterThan(0);
    expect(figure(counted, /Successful request count: (\d+)/)).toBeGreaterThan(REQUESTS);
  },
  30_000,
);

/** What it reports of its own clock and of the server's. Rejects when it does not end with exit code 0. */
async function analyze(
  protocol: "http" | "grpc",
  options: readonly string[],
): Promise<Readonly<Record<"client" | "server", string>>> {
  // A row of eight: the model's configuration says that the first dimension is the batch.
  const model = ["-m", "rows", "--shape", "x:8"];
  const listening = server.log.find(({ message }) => message === "listening");
  const address = ["-i", protocol, "-u", `127.0.0.1:${protocol === "http" ? listening?.port : listening?.grpcPort}`];
  const program = commandOf("perf-analyzer", "perf_analyzer");
  const libraries = [inject("tools").folder.libb64, cudaRuntimeOf(program)].join(":");
  const { stdout } = await promisify(execFile)(program, [...model, ...address, ...options], {
    env: { ...process.env, LD_LIBRARY_PATH: libraries },
    timeout: 20_000,
    killSignal: "SIGKILL",
  });
  const [, client, counted] = /Client:([\s\S]*)Server:([\s\S]*)/.exec(stdout) ?? expect.fail(stdout);
  return { client: client ?? "", server: counted ?? "" };
}

/** What the server has counted so far. */
async function statistics(): Promise<Readonly<Record<"requests" | "inferences", number>>> {
  const response = await fetch(`${server.url}/v2/models/rows/stats`);
  const {
    model_stats: [model],
  } = (await response.json()) as {
    readonly model_stats: readonly [
      { readonly inference_count: number; readonly inference_stats: { readonly success: { readonly count: number } } },
    ];
  };
  return { requests: model.inference_stats.success.count, inferences: model.inference_count };
}

/** The folder of the CUDA runtime in an environment: the program is linked with it, also where there is no such device. */
function cudaRuntimeOf(program: string): string {
  const environment = dirname(dirname(program));
  const [folder] = globSync("lib/python*/site-packages/nvidia/cuda_runtime/lib", { cwd: environment });
  return join(environment, folder ?? expect.fail("the environment has no CUDA runtime"));
}

function figure(report: string, pattern: RegExp): number {
  const [, text] = pattern.exec(report) ?? expect.fail(`${pattern} is not in:\n${report}`);
  return Number(text);
}

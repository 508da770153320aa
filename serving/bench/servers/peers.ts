import { writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { modelFile } from "../samples.ts";
import { ONE_THREAD, type ServerKind, type Site } from "./server.ts";

const PEERS = resolve(import.meta.dirname, "../peers");

/** FastAPI on uvicorn with uvloop and httptools. */
export function fastapi(python: string, version: string): ServerKind {
  return {
    id: "fastapi",
    title: `FastAPI ${version}`,
    ways: ["json", "raw"],
    command: ({ sample, ports, workers }) => ({
      command: join(dirname(python), "uvicorn"),
      args: [
        "fastapi_server:app",
        ...["--host", "127.0.0.1", "--port", String(ports.http), "--workers", String(workers)],
        ...["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"],
      ],
      environment: { ...ONE_THREAD, PYTHONPATH: PEERS, MODEL_REPOSITORY: sample.repository },
    }),
  };
}

/** MLServer; its inference runs in the server's own process when there is one worker. */
export function mlserver(python: string, version: string): ServerKind {
  return {
    id: "mlserver",
    title: `MLServer ${version}`,
    ways: ["json", "grpc", "grpc-bytes"],
    // With workers of their own the server is ready before the model is.
    readyPath: ({ model }) => `/v2/models/${model}/ready`,
    command: (site) => {
      writeMlserverSettings(site);
      return {
        command: join(dirname(python), "mlserver"),
        args: ["start", site.scratch],
        cwd: site.scratch,
        environment: { ...ONE_THREAD, PYTHONPATH: PEERS },
      };
    },
  };
}

function writeMlserverSettings({ sample, ports, scratch, workers }: Site): void {
  const settings = {
    debug: false,
    host: "127.0.0.1",
    http_port: ports.http,
    grpc_port: ports.grpc,
    metrics_port: ports.metrics,
    grpc_max_message_length: 64 * 1024 * 1024,
    gzip_enabled: false,
    parallel_workers: workers === 1 ? 0 : workers,
  };
  const model = {
    name: sample.model,
    implementation: "mlserver_runtime.OnnxModel",
    parameters: { uri: modelFile(sample), version: "1" },
  };
  writeFileSync(join(scratch, "settings.json"), JSON.stringify(settings));
  writeFileSync(join(scratch, "model-settings.json"), JSON.stringify(model));
}

/** KServe's Python server. */
export function kserve(python: string, version: string): ServerKind {
  return {
    id: "kserve",
    title: `KServe ${version}`,
    ways: ["json", "binary", "grpc"],
    command: ({ sample, ports, scratch, workers }) => {
      const quiet = join(scratch, "logging.json");
      writeFileSync(quiet, JSON.stringify(QUIET));
      const flags = {
        http_port: ports.http,
        grpc_port: ports.grpc,
        workers,
        enable_latency_logging: false,
        log_config_file: quiet,
      };
      return {
        command: python,
        args: [
          join(PEERS, "kserve_server.py"),
          ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]),
        ],
        cwd: scratch,
        environment: { ...ONE_THREAD, MODEL_REPOSITORY: sample.repository },
      };
    },
  };
}

/** No line for each request. */
const QUIET = {
  version: 1,
  disable_existing_loggers: false,
  handlers: { stderr: { class: "logging.StreamHandler", stream: "ext://sys.stderr" } },
  root: { level: "WARNING", handlers: ["stderr"] },
  loggers: Object.fromEntries(
    ["kserve", "kserve.trace", "uvicorn", "uvicorn.access", "uvicorn.error"].map((name) => [
      name,
      { level: "WARNING", handlers: ["stderr"], propagate: false },
    ]),
  ),
};

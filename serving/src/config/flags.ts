/** One setting: a flag, and the environment variable that stands in when the flag is not given. */
export interface Flag {
  readonly name: string;
  readonly variable: string;
  /** What its value is, for the help text. */
  readonly value: string;
  readonly fallback: string;
  readonly help: string;
}

export const FLAGS = {
  modelRepository: {
    name: "model-repository",
    variable: "MODEL_REPOSITORY",
    value: "FOLDER",
    fallback: "/models",
    help: "models to serve: <name>/<version>/model.onnx",
  },
  host: {
    name: "host",
    variable: "HOST",
    value: "ADDRESS",
    fallback: "0.0.0.0",
    help: "address to listen on",
  },
  port: {
    name: "port",
    variable: "PORT",
    value: "NUMBER",
    fallback: "8080",
    help: "port to listen on; 0 takes a free one",
  },
  maxBodyBytes: {
    name: "max-body-bytes",
    variable: "MAX_BODY_BYTES",
    value: "BYTES",
    fallback: String(16 * 1024 * 1024),
    help: "largest request body; larger ones are answered 413",
  },
  drainSeconds: {
    name: "drain-seconds",
    variable: "DRAIN_SECONDS",
    value: "SECONDS",
    fallback: "5",
    help: "after SIGTERM: how long new requests are still answered while readiness is already false",
  },
  intraOpThreads: {
    name: "intra-op-threads",
    variable: "INTRA_OP_THREADS",
    value: "NUMBER",
    fallback: "1",
    help: "threads that one operator of a model may use",
  },
} as const satisfies Record<string, Flag>;

/** What `--help` prints. */
export function helpText(): string {
  const rows = Object.values<Flag>(FLAGS).map(({ name, variable, value, fallback, help }) => ({
    left: `--${name} ${value}`,
    right: `${help} (${variable}; default ${fallback})`,
  }));
  const width = Math.max(...rows.map(({ left }) => left.length));
  return [
    "Serves ONNX models by the Open Inference Protocol v2 (REST, JSON).",
    "",
    "Usage: model-server [flags]",
    "",
    ...rows.map(({ left, right }) => `  ${left.padEnd(width)}  ${right}`),
    `  ${"--help".padEnd(width)}  print this and exit`,
    "",
    "A flag goes before its environment variable, which goes before the default.",
    "",
  ].join("\n");
}

/** One setting. Its environment variable and its key in the settings file come from its name. */
export interface Flag {
  readonly name: string;
  /** What its value is, for the help text. */
  readonly value: string;
  readonly fallback: string;
  readonly help: string;
  /** Heading of the help text that it stands under. */
  readonly group: "Settings" | "Models" | "Listening" | "Execution" | "Limits" | "Life" | "Security" | "Logging";
}

export const FLAGS = {
  configFile: {
    name: "config-file",
    value: "FILE",
    fallback: "",
    help: "YAML or JSON file with settings, named like the flags",
    group: "Settings",
  },
  modelRepository: {
    name: "model-repository",
    value: "FOLDER",
    fallback: "/models",
    help: "models to serve: <name>/<version>/model.onnx",
    group: "Models",
  },
  modelControl: {
    name: "model-control",
    value: "none|explicit",
    fallback: "none",
    help: "explicit: clients may load and unload models",
    group: "Models",
  },
  repositoryPollSeconds: {
    name: "repository-poll-seconds",
    value: "SECONDS",
    fallback: "0",
    help: "how often the repository is looked through for changes; 0: never",
    group: "Models",
  },
  readyWhen: {
    name: "ready-when",
    value: "all|any",
    fallback: "all",
    help: "all: not ready before every model that is there at the start was loaded; any: ready once one is",
    group: "Models",
  },
  host: {
    name: "host",
    value: "ADDRESS",
    fallback: "0.0.0.0",
    help: "IP address to listen on",
    group: "Listening",
  },
  port: {
    name: "port",
    value: "NUMBER",
    fallback: "8080",
    help: "port of REST; 0 takes a free one",
    group: "Listening",
  },
  grpcPort: {
    name: "grpc-port",
    value: "NUMBER|off",
    fallback: "8081",
    help: "port of gRPC; off: no gRPC",
    group: "Listening",
  },
  metricsPort: {
    name: "metrics-port",
    value: "NUMBER|off",
    fallback: "off",
    help: "port of metrics, then on no other, and of health checks without TLS; off: metrics are on the REST port",
    group: "Listening",
  },
  execution: {
    name: "execution",
    value: "auto|inline|workers",
    fallback: "auto",
    help: "auto: models that are heavy at warm-up run on threads of their own",
    group: "Execution",
  },
  workers: {
    name: "workers",
    value: "NUMBER",
    fallback: "0",
    help: "threads of a model that runs on workers; 0: as many as the CPU limit feeds",
    group: "Execution",
  },
  intraOpThreads: {
    name: "intra-op-threads",
    value: "NUMBER",
    fallback: "1",
    help: "threads that one operator of a model may use; 0: the CPU limit",
    group: "Execution",
  },
  batching: {
    name: "batching",
    value: "auto|off",
    fallback: "auto",
    help: "auto: requests run together where warm-up shows that it pays",
    group: "Execution",
  },
  maxBatchSize: {
    name: "max-batch-size",
    value: "NUMBER",
    fallback: "32",
    help: "most rows that run together",
    group: "Execution",
  },
  queueLimit: {
    name: "queue-limit",
    value: "NUMBER",
    fallback: "256",
    help: "requests of one model that may wait; further ones are answered 429",
    group: "Limits",
  },
  requestTimeoutMs: {
    name: "request-timeout-ms",
    value: "MILLISECONDS",
    fallback: "30000",
    help: "how long a request may wait and run; then it is answered 504",
    group: "Limits",
  },
  maxBodyBytes: {
    name: "max-body-bytes",
    value: "BYTES",
    fallback: "0",
    help: "largest request, also decompressed; larger ones are answered 413; 0: an eighth of the memory limit, 64 MiB at most",
    group: "Limits",
  },
  maxJsonBytes: {
    name: "max-json-bytes",
    value: "BYTES",
    fallback: "16777216",
    help: "largest JSON of a request, and of an answer's data; larger tensors travel as binary data",
    group: "Limits",
  },
  maxHeaderBytes: {
    name: "max-header-bytes",
    value: "BYTES",
    fallback: "16384",
    help: "largest headers of a request; larger ones are answered 431, in gRPC RESOURCE_EXHAUSTED",
    group: "Limits",
  },
  maxTensors: {
    name: "max-tensors",
    value: "NUMBER",
    fallback: "256",
    help: "most inputs, and most outputs, that a request may name",
    group: "Limits",
  },
  maxBytesElements: {
    name: "max-bytes-elements",
    value: "NUMBER",
    fallback: "100000",
    help: "most elements of BYTES tensors in a request, all inputs together; more are answered 413",
    group: "Limits",
  },
  maxConnections: {
    name: "max-connections",
    value: "NUMBER",
    fallback: "10000",
    help: "connections that may be open, of REST and of gRPC each; further ones are closed at once",
    group: "Limits",
  },
  drainSeconds: {
    name: "drain-seconds",
    value: "SECONDS",
    fallback: "5",
    help: "after SIGTERM: how long new requests are still answered while readiness is already false",
    group: "Life",
  },
  inFlightSeconds: {
    name: "in-flight-seconds",
    value: "SECONDS",
    fallback: "10",
    help: "after that: how long requests in flight may take",
    group: "Life",
  },
  tlsCertFile: {
    name: "tls-cert-file",
    value: "FILE",
    fallback: "",
    help: "certificate chain, PEM: REST and gRPC take TLS only; read again when it changes",
    group: "Security",
  },
  tlsKeyFile: {
    name: "tls-key-file",
    value: "FILE",
    fallback: "",
    help: "its private key, PEM",
    group: "Security",
  },
  tlsClientCaFile: {
    name: "tls-client-ca-file",
    value: "FILE",
    fallback: "",
    help: "authorities, PEM, one of which must have signed the client's certificate (mTLS)",
    group: "Security",
  },
  authTokensFile: {
    name: "auth-tokens-file",
    value: "FILE",
    fallback: "",
    help: "bearer tokens, one a line; requests need one of them, health and metrics do not; read again when it changes",
    group: "Security",
  },
  logLevel: {
    name: "log-level",
    value: "info|warn|error|silent",
    fallback: "info",
    help: "least severe lines to log",
    group: "Logging",
  },
  logRequests: {
    name: "log-requests",
    value: "true|false",
    fallback: "false",
    help: "whether each inference request gets a line: model, status and time, never data",
    group: "Logging",
  },
} as const satisfies Record<string, Flag>;

/** The environment variable that stands in when a flag is not given: `--grpc-port` is GRPC_PORT. */
export function variableOf({ name }: Flag): string {
  return name.toUpperCase().replaceAll("-", "_");
}

import { expect, test } from "vitest";
import { FLAGS, type Flag, variableOf } from "../src/config/flags.ts";
import { helpText } from "../src/config/help.ts";
import { readSettings, type Settings } from "../src/config/settings.ts";
import { temporaryFolder } from "./server-process.ts";

const MIB = 1024 * 1024;
const large = { cpus: 8, memoryBytes: 16 * 1024 * MIB };

async function settings(
  args: readonly string[] = [],
  environment: NodeJS.ProcessEnv = {},
  limits = large,
): Promise<Settings> {
  const read = await readSettings(args, environment, limits);
  if (typeof read === "string") throw new Error(`asked for ${read}`);
  return read;
}

function file(name: string, content: string): string {
  return `${temporaryFolder({ [name]: content })}/${name}`;
}

test("has defaults for everything", async () => {
  expect(await settings()).toEqual({
    modelRepository: "/models",
    modelControl: false,
    repositoryPollSeconds: 0,
    readyWhen: "all",
    host: "0.0.0.0",
    port: 8080,
    grpcPort: 8081,
    metricsPort: undefined,
    execution: {
      mode: "auto",
      workers: undefined,
      cpus: 8,
      intraOpThreads: 1,
      batching: "auto",
      maxBatchSize: 32,
      queueLimit: 256,
    },
    requestTimeoutMs: 30_000,
    maxBodyBytes: 64 * MIB,
    maxJsonBytes: 16 * MIB,
    maxHeaderBytes: 16_384,
    maxTensors: 256,
    maxBytesElements: 100_000,
    maxConnections: 10_000,
    drainSeconds: 5,
    inFlightSeconds: 10,
    tls: undefined,
    authTokensFile: undefined,
    logLevel: "info",
    logRequests: false,
  });
});

test("takes every flag", async () => {
  const values: Readonly<Record<keyof typeof FLAGS, string>> = {
    configFile: file("settings.json", "{}"),
    modelRepository: "/other",
    modelControl: "explicit",
    repositoryPollSeconds: "30",
    readyWhen: "any",
    host: "::",
    port: "0",
    grpcPort: "off",
    metricsPort: "9090",
    execution: "workers",
    workers: "3",
    intraOpThreads: "2",
    batching: "off",
    maxBatchSize: "16",
    queueLimit: "7",
    requestTimeoutMs: "100",
    maxBodyBytes: "1000",
    maxJsonBytes: "4096",
    maxHeaderBytes: "2048",
    maxTensors: "4",
    maxBytesElements: "2000",
    maxConnections: "50",
    drainSeconds: "1",
    inFlightSeconds: "2",
    tlsCertFile: "c",
    tlsKeyFile: "k",
    tlsClientCaFile: "ca",
    authTokensFile: "t",
    logLevel: "warn",
    logRequests: "true",
  };
  const expected = {
    modelRepository: "/other",
    modelControl: true,
    repositoryPollSeconds: 30,
    readyWhen: "any",
    host: "::",
    port: 0,
    grpcPort: undefined,
    metricsPort: 9090,
    execution: {
      mode: "workers",
      workers: 3,
      cpus: 8,
      intraOpThreads: 2,
      batching: "off",
      maxBatchSize: 16,
      queueLimit: 7,
    },
    requestTimeoutMs: 100,
    maxBodyBytes: 1000,
    maxJsonBytes: 4096,
    maxHeaderBytes: 2048,
    maxTensors: 4,
    maxBytesElements: 2000,
    maxConnections: 50,
    drainSeconds: 1,
    inFlightSeconds: 2,
    tls: { certFile: "c", keyFile: "k", clientCaFile: "ca" },
    authTokensFile: "t",
    logLevel: "warn",
    logRequests: true,
  };
  const entries = Object.entries(values) as [keyof typeof FLAGS, string][];
  expect(await settings(entries.flatMap(([key, value]) => [`--${FLAGS[key].name}`, value]))).toEqual(expected);
  expect(
    await settings([], Object.fromEntries(entries.map(([key, value]) => [variableOf(FLAGS[key]), value]))),
  ).toEqual(expected);
  const content = Object.fromEntries(
    entries.filter(([key]) => key !== "configFile").map(([key, value]) => [FLAGS[key].name, value]),
  );
  expect(await settings([], { CONFIG_FILE: file("settings.json", JSON.stringify(content)) })).toEqual(expected);
});

test("a flag goes before its variable, a variable before the file, the file before the default", async () => {
  const path = file("settings.yaml", "# everything\nport: 3\nhost: 127.0.0.1\nlog-requests: true\nmetrics-port: off\n");
  const environment = { PORT: "2", HOST: "", CONFIG_FILE: path };
  expect(await settings(["--port", "1"], environment)).toMatchObject({ port: 1 });
  expect(await settings([], environment)).toMatchObject({ port: 2 });
  const fromFile = { port: 3, host: "127.0.0.1", logRequests: true, metricsPort: undefined };
  expect(await settings(["--config-file", path])).toMatchObject(fromFile);
  expect(await settings([], { HOST: "" })).toMatchObject({ host: "0.0.0.0" });
  expect(await settings(["--config-file", file("empty.yaml", "# nothing yet\n")])).toEqual(await settings());
});

test.each([
  [{ cpus: 0.5, memoryBytes: 256 * MIB }, 1, 32 * MIB],
  [{ cpus: 2.5, memoryBytes: 512 * MIB }, 2, 64 * MIB],
  [{ cpus: 4, memoryBytes: 8192 * MIB }, 4, 64 * MIB],
])("processors and the largest body follow the limits %j", async (limits, cpus, maxBodyBytes) => {
  expect(await settings([], {}, limits)).toMatchObject({ execution: { cpus, intraOpThreads: 1 }, maxBodyBytes });
});

test("0 threads of an operator are as many as the CPU limit", async () => {
  expect(await settings(["--intra-op-threads", "0"])).toMatchObject({ execution: { cpus: 8, intraOpThreads: 8 } });
  expect(await settings(["--intra-op-threads", "16"])).toMatchObject({ execution: { cpus: 8, intraOpThreads: 16 } });
});

test.each<[readonly string[], NodeJS.ProcessEnv, string]>([
  [["--port", "http"], {}, "--port is 'http', expected a whole number from 0 to 65535"],
  [[], { PORT: "tcp://10.0.0.1:80" }, "PORT is 'tcp://10.0.0.1:80', expected a whole number from 0 to 65535"],
  [["--port", "65536"], {}, "--port is '65536'"],
  [["--grpc-port", "no"], {}, "--grpc-port is 'no', expected a whole number from 0 to 65535, or off"],
  [[], { METRICS_PORT: "70000" }, "METRICS_PORT is '70000', expected a whole number from 0 to 65535, or off"],
  [["--grpc-port", "8080"], {}, "--port and --grpc-port are both 8080"],
  [["--drain-seconds", "1.5"], {}, "--drain-seconds is '1.5'"],
  [
    ["--port", "-1"],
    {},
    "Option '--port' argument is ambiguous: write a value that begins with a dash as --port=-1; --help lists the flags",
  ],
  [["--max-body-bytes=-1"], {}, "--max-body-bytes is '-1', expected a whole number from 0 to 536870912"],
  [["--max-tensors", "0"], {}, "--max-tensors is '0', expected a whole number from 1 to 65536"],
  [["--intra-op-threads", ""], {}, "--intra-op-threads is ''"],
  [["--execution", "gpu"], {}, "--execution is 'gpu', expected one of auto, inline, workers"],
  [[], { LOG_REQUESTS: "yes" }, "LOG_REQUESTS is 'yes', expected one of true, false"],
  [["--host", "example.org"], {}, "--host is 'example.org', expected an IP address"],
  [["--model-repository", ""], {}, "--model-repository is empty"],
  [["--tls-cert-file", "c"], {}, "--tls-cert-file is set, but --tls-key-file is not: TLS takes both"],
  [[], { TLS_KEY_FILE: "k" }, "TLS_KEY_FILE is set, but --tls-cert-file is not"],
  [["--tls-client-ca-file", "c"], {}, "is set, but --tls-cert-file and --tls-key-file is not"],
  [["--config-file", "/nowhere/s.yaml"], {}, "settings file '/nowhere/s.yaml' cannot be read: ENOENT"],
  [["--port"], {}, "Option '--port <value>' argument missing; --help lists the flags"],
  [["--ports", "1"], {}, "Unknown option '--ports'; --help lists the flags"],
  [["model"], {}, "Unexpected argument 'model'"],
])("refuses %j with %j", async (args, environment, message) => {
  await expect(settings(args, environment)).rejects.toThrow(message);
});

test.each([
  ["s.yaml", "port: [1]", "port is no text, number or boolean"],
  ["s.yaml", "port:", "port is no text, number or boolean"],
  ["s.yaml", "port: http", "the settings file's port is 'http', expected a whole number from 0 to 65535"],
  ["s.yaml", "GRPC_PORT: 1", "has an unknown key 'GRPC_PORT', did you mean 'grpc-port'?"],
  ["s.json", '{"maxBatchSize": 1}', "has an unknown key 'maxBatchSize', did you mean 'max-batch-size'?"],
  ["s.yaml", "colour: red", "has an unknown key 'colour'; --help lists the flags"],
  ["s.yaml", "config-file: other.yaml", "has an unknown key 'config-file'"],
  ["s.yaml", "port: 1\nport: 2", "is not valid YAML: Map keys must be unique at line 2, column 1"],
  ["s.json", "{", "is not valid JSON"],
  ["s.yaml", "- port", "is no object with the flags' names as keys"],
])("refuses a settings file %s of %j", async (name, content, message) => {
  await expect(settings(["--config-file", file(name, content)])).rejects.toThrow(message);
});

test("the help tells of every flag, its variable and its default, on lines that fit a terminal", async () => {
  expect(await readSettings(["--port", "x", "--help"], {})).toBe("help");
  expect(await readSettings(["--version"], {})).toBe("version");
  const help = helpText();
  for (const flag of Object.values<Flag>(FLAGS)) {
    expect(help).toContain(`--${flag.name} ${flag.value} `);
    expect(help).toContain(`[${variableOf(flag)}${flag.fallback === "" ? "" : `; default ${flag.fallback}`}]`);
  }
  for (const line of help.split("\n")) expect(line.length).toBeLessThanOrEqual(120);
});

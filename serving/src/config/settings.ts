import { parseArgs } from "node:util";
import type { ExecutionSettings } from "../execution/open-model.ts";
import { LOG_LEVELS, type LogLevel } from "../logging/logger.ts";
import { type ResourceLimits, readLimits } from "../runtime/cgroup.ts";
import type { TlsFiles } from "../security/tls.ts";
import { SettingsError } from "./error.ts";
import { FLAGS, type Flag, variableOf } from "./flags.ts";
import { readSettingsFile, type SettingsFile } from "./settings-file.ts";
import { address, type Given, nonEmpty, oneOf, optionalFile, optionalPort, port, wholeNumber } from "./values.ts";

/** How this server was asked to run. */
export interface Settings {
  readonly modelRepository: string;
  /** Whether clients may load and unload models. */
  readonly modelControl: boolean;
  /** 0: the repository is not looked through again. */
  readonly repositoryPollSeconds: number;
  /** Whether one model that can be asked makes the server ready, or only all that are there at the start. */
  readonly readyWhen: "all" | "any";
  /** An IP address, or `localhost`. */
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** Undefined: no gRPC; 0: a free port. */
  readonly grpcPort: number | undefined;
  /** Undefined: metrics on the REST port alone; 0: a free port. */
  readonly metricsPort: number | undefined;
  readonly execution: ExecutionSettings;
  readonly requestTimeoutMs: number;
  readonly maxBodyBytes: number;
  /** JSON of a request or an answer; binary tensors are not counted. */
  readonly maxJsonBytes: number;
  readonly maxHeaderBytes: number;
  /** Most inputs, and most outputs, that one request may name. */
  readonly maxTensors: number;
  /** Elements of BYTES tensors that one request may hold, all its inputs together. */
  readonly maxBytesElements: number;
  /** Connections that each of REST and gRPC may have open. */
  readonly maxConnections: number;
  readonly drainSeconds: number;
  readonly inFlightSeconds: number;
  /** Undefined: no TLS. */
  readonly tls: TlsFiles | undefined;
  /** Undefined: nobody is asked for a token. */
  readonly authTokensFile: string | undefined;
  readonly logLevel: LogLevel;
  readonly logRequests: boolean;
}

const MIB = 1024 * 1024;

/** A setting as it was given. */
type Read = (flag: Flag) => Given;

/**
 * The settings from flags, environment, settings file and defaults, in this order of precedence.
 *
 * @param limits what the process may use of the machine: some defaults follow it
 * @returns "help" or "version" when `--help` or `--version` is asked for
 * @throws SettingsError
 */
export async function readSettings(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  limits: ResourceLimits = readLimits(),
): Promise<Settings | "help" | "version"> {
  const flags = parseFlags(args);
  if (flags.help === true) return "help";
  if (flags.version === true) return "version";
  const path = given(FLAGS.configFile, flags, environment, new Map()).text;
  const file: SettingsFile = path === "" ? new Map() : await readSettingsFile(path);
  return settingsOf((flag) => given(flag, flags, environment, file), limits);
}

function settingsOf(read: Read, limits: ResourceLimits): Settings {
  const seconds = (flag: Flag, most: number) => wholeNumber(read(flag), 0, most);
  const settings: Settings = {
    modelRepository: nonEmpty(read(FLAGS.modelRepository)),
    modelControl: oneOf(read(FLAGS.modelControl), ["none", "explicit"]) === "explicit",
    repositoryPollSeconds: seconds(FLAGS.repositoryPollSeconds, 86_400),
    readyWhen: oneOf(read(FLAGS.readyWhen), ["all", "any"]),
    host: address(read(FLAGS.host)),
    port: port(read(FLAGS.port)),
    grpcPort: optionalPort(read(FLAGS.grpcPort)),
    metricsPort: optionalPort(read(FLAGS.metricsPort)),
    execution: executionOf(read, limits),
    requestTimeoutMs: wholeNumber(read(FLAGS.requestTimeoutMs), 1, 3_600_000),
    maxBodyBytes: wholeNumber(read(FLAGS.maxBodyBytes), 0, 512 * MIB) || defaultBodyBytes(limits),
    maxJsonBytes: wholeNumber(read(FLAGS.maxJsonBytes), 1_024, 512 * MIB),
    maxHeaderBytes: wholeNumber(read(FLAGS.maxHeaderBytes), 1_024, MIB),
    maxTensors: wholeNumber(read(FLAGS.maxTensors), 1, 65_536),
    maxBytesElements: wholeNumber(read(FLAGS.maxBytesElements), 1, 100_000_000),
    maxConnections: wholeNumber(read(FLAGS.maxConnections), 1, 1_000_000),
    drainSeconds: seconds(FLAGS.drainSeconds, 3_600),
    inFlightSeconds: seconds(FLAGS.inFlightSeconds, 3_600),
    tls: tlsOf(read),
    authTokensFile: optionalFile(read(FLAGS.authTokensFile)),
    logLevel: oneOf(read(FLAGS.logLevel), LOG_LEVELS),
    logRequests: oneOf(read(FLAGS.logRequests), ["true", "false"]) === "true",
  };
  refuseSharedPorts(read, settings);
  return settings;
}

function executionOf(read: Read, limits: ResourceLimits): ExecutionSettings {
  const cpus = Math.max(1, Math.floor(limits.cpus));
  return {
    mode: oneOf(read(FLAGS.execution), ["auto", "inline", "workers"]),
    workers: wholeNumber(read(FLAGS.workers), 0, 256) || undefined,
    cpus,
    intraOpThreads: wholeNumber(read(FLAGS.intraOpThreads), 0, 256) || cpus,
    batching: oneOf(read(FLAGS.batching), ["auto", "off"]),
    maxBatchSize: wholeNumber(read(FLAGS.maxBatchSize), 1, 4_096),
    queueLimit: wholeNumber(read(FLAGS.queueLimit), 1, 1_000_000),
  };
}

/** A body is held more than once while it is decoded: one of them must not take a small container down. */
function defaultBodyBytes({ memoryBytes }: ResourceLimits): number {
  return Math.min(64 * MIB, Math.floor(memoryBytes / 8));
}

function tlsOf(read: Read): TlsFiles | undefined {
  const flags = [FLAGS.tlsCertFile, FLAGS.tlsKeyFile, FLAGS.tlsClientCaFile];
  const [certFile, keyFile, clientCaFile] = flags.map((flag) => optionalFile(read(flag)));
  if (certFile !== undefined && keyFile !== undefined) return { certFile, keyFile, clientCaFile };
  if (certFile === undefined && keyFile === undefined && clientCaFile === undefined) return undefined;
  const [named] = flags.filter((flag) => read(flag).text !== "");
  const missing = [FLAGS.tlsCertFile, FLAGS.tlsKeyFile].filter((flag) => read(flag).text === "");
  const names = missing.map(({ name }) => `--${name}`).join(" and ");
  throw new SettingsError(
    `${named === undefined ? "TLS" : read(named).source} is set, but ${names} is not: TLS takes both`,
  );
}

function refuseSharedPorts(read: Read, settings: Settings): void {
  const taken = new Map<number, string>();
  for (const key of ["port", "grpcPort", "metricsPort"] as const) {
    const number = settings[key];
    if (number === undefined || number === 0) continue;
    const other = taken.get(number);
    const { source } = read(FLAGS[key]);
    if (other !== undefined) throw new SettingsError(`${other} and ${source} are both ${number}`);
    taken.set(number, source);
  }
}

type Flags = Readonly<Record<string, string | boolean | undefined>>;

function given(flag: Flag, flags: Flags, environment: NodeJS.ProcessEnv, file: SettingsFile): Given {
  const fromFlag = flags[flag.name];
  if (typeof fromFlag === "string") return { source: `--${flag.name}`, text: fromFlag };
  const variable = variableOf(flag);
  // An empty variable is an unset one: that is how a container manifest blanks it.
  const fromEnvironment = environment[variable];
  if (fromEnvironment) return { source: variable, text: fromEnvironment };
  const fromFile = file.get(flag.name);
  if (fromFile !== undefined) return { source: `the settings file's ${flag.name}`, text: fromFile };
  return { source: `--${flag.name}`, text: flag.fallback };
}

function parseFlags(args: readonly string[]): Flags {
  const strings = Object.values(FLAGS).map(({ name }) => [name, { type: "string" }] as const);
  try {
    return parseArgs({
      args: [...args],
      options: {
        ...Object.fromEntries(strings),
        help: { type: "boolean", short: "h" },
        version: { type: "boolean", short: "v" },
      },
      allowPositionals: false,
    }).values;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const [first] = message.split(/\.? (?=To specify)|\n/, 1) as [string];
    // The part that says what to write is on its last line, with a value that is none.
    const [, flag] = /use '(--[\w-]+)=-XYZ'/.exec(message) ?? [];
    const remedy = flag === undefined ? "" : `: write a value that begins with a dash as ${flag}=-1`;
    throw new SettingsError(`${first.replace(/\.$/, "")}${remedy}; --help lists the flags`);
  }
}

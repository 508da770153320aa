import { isIP } from "node:net";
import { parseArgs } from "node:util";
import { FLAGS, type Flag } from "./flags.ts";

/** How this server was asked to run. */
export interface Settings {
  readonly modelRepository: string;
  /** An IP address, or `localhost`. */
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly maxBodyBytes: number;
  readonly drainSeconds: number;
  readonly intraOpThreads: number;
}

/** A flag or an environment variable that cannot be used; the message names it and what it takes. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/**
 * The settings from flags, environment and defaults, in this order of precedence.
 *
 * @returns "help" when `--help` is asked for
 * @throws SettingsError
 */
export function readSettings(args: readonly string[], environment: NodeJS.ProcessEnv): Settings | "help" {
  const flags = parseFlags(args);
  if (flags.help === true) return "help";
  const read = (flag: Flag): Setting => {
    const given = flags[flag.name];
    if (typeof given === "string") return { source: `--${flag.name}`, text: given };
    // An empty variable is an unset one: that is how a container manifest blanks it.
    return { source: flag.variable, text: environment[flag.variable] || flag.fallback };
  };
  return {
    modelRepository: nonEmpty(read(FLAGS.modelRepository)),
    host: address(read(FLAGS.host)),
    port: wholeNumber(read(FLAGS.port), 0, 65_535),
    maxBodyBytes: wholeNumber(read(FLAGS.maxBodyBytes), 1, 512 * 1024 * 1024),
    drainSeconds: wholeNumber(read(FLAGS.drainSeconds), 0, 3_600),
    intraOpThreads: wholeNumber(read(FLAGS.intraOpThreads), 1, 256),
  };
}

/** A value as given, and where: `--port` or `PORT`. */
interface Setting {
  readonly source: string;
  readonly text: string;
}

function parseFlags(args: readonly string[]): Readonly<Record<string, string | boolean | undefined>> {
  const strings = Object.values(FLAGS).map(({ name }) => [name, { type: "string" }] as const);
  try {
    return parseArgs({
      args: [...args],
      options: { ...Object.fromEntries(strings), help: { type: "boolean", short: "h" } },
      allowPositionals: false,
    }).values;
  } catch (error) {
    const first = (error instanceof Error ? error.message : String(error)).split(/\.? (?=To specify)|\n/, 1)[0];
    throw new SettingsError(`${first?.replace(/\.$/, "")}; --help lists the flags`);
  }
}

function nonEmpty({ source, text }: Setting): string {
  if (text === "") throw new SettingsError(`${source} is empty`);
  return text;
}

function address({ source, text }: Setting): string {
  if (isIP(text) === 0 && text !== "localhost") {
    throw new SettingsError(`${source} is '${text}', expected an IP address such as 0.0.0.0, :: or 127.0.0.1`);
  }
  return text;
}

function wholeNumber({ source, text }: Setting, least: number, most: number): number {
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= least && number <= most)) {
    throw new SettingsError(`${source} is '${text}', expected a whole number from ${least} to ${most}`);
  }
  return number;
}

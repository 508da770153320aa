import { destination, pino } from "pino";

/** Facts of one log line. Never a request's or an answer's data, never a header. */
export type LogFields = Readonly<Record<string, string | number | boolean>>;

export const LOG_LEVELS = ["info", "warn", "error", "silent"] as const;

/** The least severe lines to write. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Writes one JSON object a line: `time` (ISO 8601), `level`, then the fields, then `message`. */
export interface Logger {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export interface LoggerOptions {
  readonly level?: LogLevel;
  /** Takes one line with its newline; by default it goes to stdout at once, so that none is lost when the process ends. */
  readonly write?: (line: string) => void;
  /** The clock. */
  readonly now?: () => Date;
}

export function createLogger({ level = "info", write, now = () => new Date() }: LoggerOptions = {}): Logger {
  const log = pino(
    {
      level,
      // Neither process id nor host name: whoever collects the log of a container knows them.
      base: null,
      messageKey: "message",
      timestamp: () => `,"time":"${now().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    write === undefined ? destination({ fd: 1, sync: true }) : { write },
  );
  return {
    info: (message, fields = {}) => log.info(fields, message),
    warn: (message, fields = {}) => log.warn(fields, message),
    error: (message, fields = {}) => log.error(fields, message),
  };
}

/** Facts of one log line. Never a request's or an answer's data. */
export type LogFields = Readonly<Record<string, string | number>>;

export type Level = "info" | "warn" | "error";

/** Writes one JSON object a line: `time` (ISO 8601), `level`, `message`, then the fields. */
export interface Logger {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/**
 * @param write takes one line with its newline
 * @param now the clock
 */
export function createLogger(write: (line: string) => void, now: () => Date = () => new Date()): Logger {
  const logAt =
    (level: Level) =>
    (message: string, fields: LogFields = {}) => {
      write(`${JSON.stringify({ time: now().toISOString(), level, message, ...fields })}\n`);
    };
  return { info: logAt("info"), warn: logAt("warn"), error: logAt("error") };
}

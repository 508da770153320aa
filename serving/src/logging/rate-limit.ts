import type { LogFields, Logger } from "./logger.ts";

/** Warnings a second that are written; clients cause them, and so decide how many there are. */
const WARNINGS = 50;
const SECOND_MS = 1000;

/**
 * A logger that writes so many warnings a second and tells how many it left out. Everything else is written.
 *
 * @param now the clock, in milliseconds
 */
export function limitWarnings(log: Logger, now: () => number = () => performance.now()): Logger {
  let until = Number.NEGATIVE_INFINITY;
  let written = 0;
  let leftOut = 0;
  return {
    ...log,
    warn: (message: string, fields?: LogFields) => {
      const time = now();
      if (time >= until) {
        if (leftOut > 0) log.warn("warnings left out, there were too many", { count: leftOut });
        until = time + SECOND_MS;
        written = 0;
        leftOut = 0;
      }
      if (written < WARNINGS) {
        written++;
        log.warn(message, fields);
      } else leftOut++;
    },
  };
}

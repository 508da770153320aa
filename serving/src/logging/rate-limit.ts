import type { LogFields, Logger } from "./logger.ts";

/** Lines of a level a second that are written; clients cause them, and so decide how many there are. */
const LINES = 50;
const SECOND_MS = 1000;

/**
 * A logger that writes so many warnings and so many errors a second, and tells how many it left out. Everything else is
 * written.
 *
 * @param now the clock, in milliseconds
 */
export function limitLines(log: Logger, now: () => number = () => performance.now()): Logger {
  return {
    ...log,
    warn: limited((message, fields) => log.warn(message, fields), now),
    error: limited((message, fields) => log.error(message, fields), now),
  };
}

type Write = (message: string, fields?: LogFields) => void;

function limited(write: Write, now: () => number): Write {
  let until = Number.NEGATIVE_INFINITY;
  let written = 0;
  let leftOut = 0;
  return (message, fields) => {
    const time = now();
    if (time >= until) {
      if (leftOut > 0) write("lines of this level left out, there were too many", { count: leftOut });
      until = time + SECOND_MS;
      written = 0;
      leftOut = 0;
    }
    if (written < LINES) {
      written++;
      write(message, fields);
    } else leftOut++;
  };
}

import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { createLogger, type LoggerOptions } from "../src/logging/logger.ts";
import { limitLines } from "../src/logging/rate-limit.ts";
import { LogRecord } from "./test-catalog.ts";

const LOGGER = new URL("../src/logging/logger.ts", import.meta.url).href;

function captured(options: LoggerOptions = {}): {
  readonly lines: string[];
  readonly log: ReturnType<typeof createLogger>;
} {
  const lines: string[] = [];
  const now = () => new Date("2026-02-03T04:05:06.789Z");
  return { lines, log: createLogger({ now, write: (line) => lines.push(line), ...options }) };
}

test("a line is one JSON object with time, level, message and the fields, and nothing else", () => {
  const { lines, log } = captured();
  log.info("model loaded", { model: "a\n\"b'", milliseconds: 12, warm: true });
  log.warn("request refused");
  expect(lines.map((line) => line.endsWith("\n") && line.indexOf("\n") === line.length - 1)).toEqual([true, true]);
  const time = "2026-02-03T04:05:06.789Z";
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { time, level: "info", message: "model loaded", model: "a\n\"b'", milliseconds: 12, warm: true },
    { time, level: "warn", message: "request refused" },
  ]);
});

test.each([
  ["info", ["info", "warn", "error"]],
  ["warn", ["warn", "error"]],
  ["error", ["error"]],
  ["silent", []],
] as const)("at level %s it writes %j", (level, written) => {
  const { lines, log } = captured({ level });
  log.info("x");
  log.warn("x");
  log.error("x");
  expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(written);
});

test("no line is lost when the process ends right after it", () => {
  const program = `const { createLogger } = await import(${JSON.stringify(LOGGER)});
    const log = createLogger();
    for (let n = 0; n < 1000; n++) log.info("line", { n });
    process.exit(0);`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  const lines = stdout.trimEnd().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { n: number }).n)).toEqual(Array.from({ length: 1000 }, (_, n) => n));
});

test("writes so many warnings and so many errors a second, then how many it left out", () => {
  let time = 0;
  const record = new LogRecord();
  const log = limitLines(record, () => time);
  for (let count = 0; count < 120; count++) log.warn("refused", { count });
  for (let count = 0; count < 60; count++) log.error("failed", { count });
  log.info("ready");
  expect(record.messages("warn")).toHaveLength(50);
  expect(record.messages("error")).toHaveLength(50);
  expect(record.messages("info")).toEqual(["ready"]);
  time = 1_000;
  log.warn("refused");
  expect(record.lines.slice(-2)).toEqual([
    { level: "warn", message: "lines of this level left out, there were too many", fields: { count: 70 } },
    { level: "warn", message: "refused", fields: {} },
  ]);
  log.error("failed");
  expect(record.lines.at(-2)).toMatchObject({ level: "error", fields: { count: 10 } });
});

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inRepository, listActions } from "../repository/repository.ts";
import { type Sample, summarise } from "./sample.ts";
import type { BenchReport, Suite } from "./suite.ts";

/** What a bundle may weigh, in bytes, and take to load beyond bare Node, in milliseconds. */
const budget = { bytes: 3_000_000, milliseconds: 300 };

const method = `A bundle is run as the runner runs it, but without inputs, so that it loads all of itself and ends at its first act, the
error INPUT_INVALID. Bare Node runs an empty module. Both are whole processes, measured in turns on the wall clock; "load" is
the difference of the two runs of a turn. Shown: median (lowest to highest).`;

interface Measured {
  readonly name: string;
  readonly bytes: number;
  /** Milliseconds. */
  readonly bare: Sample;
  readonly whole: Sample;
  readonly load: Sample;
}

/** Milliseconds of one whole Node process, and what it wrote. */
function runOnce(file: string): { milliseconds: number; output: string } {
  const kept = Object.entries(process.env).filter(([name]) => !/^(INPUT_|GITHUB_|RUNNER_|NODE_)/.test(name));
  const started = performance.now();
  const { stdout } = spawnSync(process.execPath, [file], { env: Object.fromEntries(kept), encoding: "utf8" });
  return { milliseconds: performance.now() - started, output: stdout };
}

async function measure(name: string, empty: string, runs: number): Promise<Measured> {
  const bundle = inRepository("dist", name, "index.js");
  if (!existsSync(bundle)) throw new Error(`dist/${name}/index.js is not there: run \`npm run build\``);
  const { size } = await stat(bundle);
  const turns = Array.from({ length: runs + 1 }, () => {
    const bare = runOnce(empty).milliseconds;
    const { milliseconds, output } = runOnce(bundle);
    if (!output.includes("INPUT_INVALID"))
      throw new Error(
        `dist/${name}/index.js does not end at its inputs when it has none, so its load time is not known`,
      );
    return { bare, whole: milliseconds, load: milliseconds - bare };
  }).slice(1); // the first turn reads the files from the disk
  const sample = (key: "bare" | "whole" | "load") => summarise(turns.map((turn) => turn[key]));
  return { name, bytes: size, bare: sample("bare"), whole: sample("whole"), load: sample("load") };
}

const isWithin = ({ bytes, load }: Measured) => bytes <= budget.bytes && load.median <= budget.milliseconds;

function report(measured: readonly Measured[], runs: number): BenchReport {
  const show = ({ median, min, max }: Sample) => `${median.toFixed(0)} (${min.toFixed(0)} to ${max.toFixed(0)}) ms`;
  const rows = measured.map((one) => [
    one.name,
    `${(one.bytes / 1e6).toFixed(2)} MB`,
    show(one.load),
    show(one.whole),
    show(one.bare),
    isWithin(one) ? "ok" : "OVER BUDGET",
  ]);
  const header = ["bundle", "size", "load", "whole process", "bare Node", ""];
  const limits = ["budget", `${budget.bytes / 1e6} MB`, `${budget.milliseconds} ms`, "", "", ""];
  const lines = [header, ...rows, limits];
  const widths = header.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const table = lines.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return {
    text: `${table.join("\n")}\n\n${method} Node ${process.versions.node}, ${runs} turns each.`,
    data: { suite: "actions", node: process.versions.node, runs, budget, bundles: measured },
    good: measured.every(isWithin),
  };
}

/** Size and load time of every action's bundle. */
export const actionsSuite: Suite = {
  about: "size of every action's bundle, and how long it takes to load beyond bare Node",
  run: async ({ runs = 15 }) => {
    const folder = await mkdtemp(join(tmpdir(), "bench-"));
    try {
      const empty = join(folder, "empty.mjs");
      await writeFile(empty, "");
      const measured: Measured[] = [];
      for (const name of listActions()) measured.push(await measure(name, empty, runs));
      return report(measured, runs);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

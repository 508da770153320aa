import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { onnxFile } from "./onnx-file.ts";
import type { CyclesReport } from "./reload-cycles.ts";
import { temporaryFolder } from "./server-process.ts";

const CYCLES = fileURLToPath(new URL("./reload-cycles.ts", import.meta.url));
const WEIGHTS = 4_000_000;
const WEIGHT_BYTES = 4 * WEIGHTS;

/** Gives the element `x` of its weights, each its index: a large model with small inputs and outputs. */
function lookupModel(): Buffer {
  return onnxFile({
    nodes: [{ operator: "Gather", inputs: ["w", "x"], outputs: ["y"] }],
    inputs: [{ name: "x", type: "INT64", shape: [1] }],
    outputs: [{ name: "y", type: "FP32", shape: [1] }],
    initializers: [{ name: "w", values: Array.from({ length: WEIGHTS }, (_, index) => index) }],
  });
}

test.each(["inline", "workers"])(
  "100 loads and unloads (%s) keep the memory bounded and lose no request",
  async (mode) => {
    const repository = temporaryFolder({ "m/1/model.onnx": lookupModel() });
    const args = ["--expose-gc", CYCLES, repository, mode, "100"];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const report = JSON.parse(stdout) as CyclesReport;
    expect(report.lost).toEqual([]);
    expect(report.answered).toBeGreaterThan(100);
    // 90 copies were loaded between the two measurements: if one in ten leaked, it would be nine more. Without a leak it is
    // as many as one measurement can find on their way out and the other not: two, seen up to five with the allocator's.
    expect(report.after - report.before).toBeLessThan(8 * WEIGHT_BYTES);
  },
  120_000,
);

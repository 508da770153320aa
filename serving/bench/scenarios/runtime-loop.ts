import { join, resolve } from "node:path";
import type { Bench } from "../bench.ts";
import type { Entry } from "../contest.ts";
import type { LoadReport } from "../machine/load.ts";
import { runToEnd } from "../machine/process.ts";
import { modelFile, type Sample } from "../samples.ts";

const LOOP = resolve(import.meta.dirname, "../limits/runtime-loop.ts");

/** Its label, to tell it from the other limits. */
export const RUNTIME_LOOP = "bare ONNX Runtime loop";

/** The bare loop over the runtime's binding, on the server's core. */
export function runtimeLoop(bench: Bench, sample: Sample): Entry {
  const [input] = sample.inputs;
  if (input === undefined) throw new Error(`the model ${sample.model} has no input`);
  return {
    owner: "limit",
    label: RUNTIME_LOOP,
    run: async ({ warmUp, seconds }) => {
      const file = join(sample.repository, `input-${input.name}.bin`);
      const type = input.datatype === "INT32" ? "int32" : "float32";
      const words = [modelFile(sample), file, input.name, type, input.shape.join(","), String(warmUp), String(seconds)];
      const command = { command: process.execPath, args: [LOOP, ...words] };
      return JSON.parse(await runToEnd(command, String(bench.cores.server))) as LoadReport;
    },
  };
}

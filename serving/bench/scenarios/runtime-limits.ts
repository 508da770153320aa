import { join, resolve } from "node:path";
import type { Bench, Fleet } from "../bench.ts";
import { type Entry, entryOf, heat } from "../contest.ts";
import type { LoadReport } from "../machine/load.ts";
import { runToEnd } from "../machine/process.ts";
import { modelFile, type Sample } from "../samples.ts";
import { verify } from "../servers/running.ts";

const LIMITS = resolve(import.meta.dirname, "../limits");

/** Its label, to tell it from the other limits. */
export const RUNTIME_LOOP = "bare ONNX Runtime loop";
export const RUNTIME_SERVER = "bare server on it";

/** The bare loop over the runtime's binding, on the server's core. */
export function runtimeLoop(bench: Bench, sample: Sample): Entry {
  const { name, words } = inputOf(sample);
  return {
    owner: "limit",
    label: RUNTIME_LOOP,
    run: async ({ warmUp, seconds }) => {
      const file = join(sample.repository, `input-${name}.bin`);
      const args = [
        join(LIMITS, "runtime-loop.ts"),
        modelFile(sample),
        file,
        ...words,
        String(warmUp),
        String(seconds),
      ];
      const command = { command: process.execPath, args };
      return JSON.parse(await runToEnd(command, String(bench.cores.server))) as LoadReport;
    },
  };
}

/** The least that a server needs around it, on the server's core. No goal rests on it: without it the others are measured. */
export async function enterRuntimeServer(bench: Bench, fleet: Fleet): Promise<Entry[]> {
  const { sample } = fleet;
  const { words } = inputOf(sample);
  const program = join(LIMITS, "runtime-server.ts");
  try {
    const args = [modelFile(sample), ...words];
    const server = await fleet.startLimit("runtime-server", (port) => [program, String(port), ...args]);
    const { target } = await verify(bench.generator, server, sample, "raw");
    const entries = [entryOf(bench, "limit", RUNTIME_SERVER, target, server.process)];
    await heat(bench, entries);
    return entries;
  } catch (error) {
    bench.say(`${RUNTIME_SERVER}: ${(error as Error).message}`);
    return [];
  }
}

/** The model's only input, and how the programs are told of it. */
function inputOf({ model, inputs }: Sample): { readonly name: string; readonly words: readonly string[] } {
  const [input] = inputs;
  if (input === undefined) throw new Error(`the model ${model} has no input`);
  const { name, datatype, shape } = input;
  return { name, words: [name, datatype === "INT32" ? "int32" : "float32", shape.join(",")] };
}

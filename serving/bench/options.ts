import { parseArgs } from "node:util";

/** What the benchmark was asked for. */
export interface Options {
  /** The file that says where tools are: see `Tools`. */
  readonly tools: string;
  readonly runs: number | undefined;
  /** Names of scenarios; all when it is empty. */
  readonly only: readonly string[];
  readonly quick: boolean;
  /** An assembled image folder to measure instead of this checkout's. */
  readonly image: string | undefined;
}

/** A peer's Python, or why it is not there. */
export type PeerTool = { readonly python: string; readonly version: string } | { readonly absent: string };

/** Where the programs are that the benchmark needs; written by whoever starts it. */
export interface Tools {
  /** The load generator, built from the folder `load`. */
  readonly load: string;
  /** A Python that has what `models/make_models.py` imports. */
  readonly modelsPython: string;
  readonly peers: Readonly<Record<"fastapi" | "mlserver" | "kserve", PeerTool>>;
}

/** @throws Error that says what is wrong with the arguments. */
export function readOptions(args: readonly string[], scenarios: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      tools: { type: "string" },
      runs: { type: "string" },
      only: { type: "string" },
      quick: { type: "boolean", default: false },
      image: { type: "string" },
    },
  });
  if (values.tools === undefined) throw new Error("--tools FILE is missing; start it by `npm run bench -- serving`");
  const only = (values.only ?? "").split(",").filter((name) => name !== "");
  const unknown = only.find((name) => !scenarios.includes(name));
  if (unknown !== undefined) throw new Error(`--only has '${unknown}'; there are: ${scenarios.join(", ")}`);
  const runs = values.runs === undefined ? undefined : Number(values.runs);
  if (runs !== undefined && !(Number.isInteger(runs) && runs > 0))
    throw new Error(`--runs is '${values.runs}'; expected a whole number`);
  return { tools: values.tools, runs, only, quick: values.quick, image: values.image };
}

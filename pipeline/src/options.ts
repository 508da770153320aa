import { parseArgs } from "node:util";
import { LabError } from "../../lab/src/progress/error.ts";
import { type Breakage, breakages } from "./breakage.ts";
import type { Operation } from "./stages.ts";

export const help = `Runs the example repository's workflow in the one-machine lab, from commit to production.

usage: npm run pipeline [-- [promote | rollback] [options]]

  (nothing)             a push to main: train, register, build, scan, push, deploy, test, promote
  promote               the manual run that promotes a digest on its evidence
  rollback              the manual run that brings back what production served before

  --event EVENT         push (default) or pull_request
  --break WHAT          make a realistic mistake first: model, image or dependency
  --digest sha256:…     with promote: which digest; default: the newest build of main
  --lab NAME            the lab to use; it is brought up if it is not (default: default)
  --cluster KIND        embedded (default), kind or current, for a lab that is new
  --verbose             show every line that the steps print
  -h, --help            this text

The lab stays up afterwards: npm run lab -- down ends it. Results: lab/out/pipeline.json, lab/out/pipeline.log and the step
summaries in lab/out/summaries. Exit code: 0 when every stage passed, 1 when one did not, 2 for wrong usage, 130 when
cancelled.
`;

export interface PipelineOptions {
  readonly operation: Operation;
  readonly breakage: Breakage | undefined;
  readonly digest: string | undefined;
  readonly lab: string;
  readonly cluster: "embedded" | "kind" | "current" | undefined;
  readonly verbose: boolean;
}

/** @throws LabError `USAGE` */
export function readOptions(args: readonly string[]): PipelineOptions | "help" {
  const { values, positionals } = parse(args);
  if (values.help) return "help";
  const [command, ...rest] = positionals;
  if (rest.length > 0) throw usage(`'${rest[0]}' is one argument too many`);
  const event = oneOf("--event", values.event, ["push", "pull_request"] as const) ?? "push";
  const breakage = oneOf("--break", values.break, breakages);
  const operation = command === undefined ? event : oneOf("the command", command, ["promote", "rollback"] as const);
  if (command !== undefined && (values.event !== undefined || breakage !== undefined))
    throw usage(`${command} takes neither --event nor --break`);
  if (values.digest !== undefined && operation !== "promote") throw usage("--digest goes with promote");
  if (values.digest !== undefined && !/^sha256:[0-9a-f]{64}$/.test(values.digest))
    throw usage(`--digest is '${values.digest}'; expected sha256: and 64 hexadecimal digits`);
  const cluster = oneOf("--cluster", values.cluster, ["embedded", "kind", "current"] as const);
  const { digest, lab = "default", verbose = false } = values;
  return { operation: operation ?? event, breakage, digest, lab, cluster, verbose };
}

function parse(args: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        event: text,
        break: text,
        digest: text,
        lab: text,
        cluster: text,
        verbose: flag,
        help: { ...flag, short: "h" },
      },
    });
  } catch (error) {
    throw usage((error as Error).message);
  }
}

function oneOf<const T extends readonly string[]>(
  name: string,
  value: string | undefined,
  words: T,
): T[number] | undefined {
  if (value === undefined || words.includes(value)) return value;
  throw usage(`${name} is '${value}'; expected ${words.join(", ")}`);
}

function usage(message: string): LabError {
  return new LabError("USAGE", message, { remedy: "npm run pipeline -- --help" });
}

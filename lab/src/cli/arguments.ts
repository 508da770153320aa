import { parseArgs } from "node:util";
import { LabError } from "../progress/error.ts";
import type { ClusterKind } from "../state/record.ts";

/** What `npm run lab -- …` was asked to do. */
export type Command =
  | { readonly do: "help" }
  | { readonly do: "up"; readonly name: string; readonly cluster?: ClusterKind; readonly context?: string }
  | { readonly do: "down"; readonly name: string; readonly purge: boolean }
  | { readonly do: "status"; readonly name: string }
  | { readonly do: "logs"; readonly name: string; readonly part: string | undefined; readonly follow: boolean }
  | { readonly do: "env"; readonly name: string }
  | { readonly do: "exec"; readonly name: string; readonly command: readonly string[]; readonly inside: boolean };

export const USAGE = `usage: npm run lab -- COMMAND [--name NAME]

The one-machine lab: an OCI registry, BuildKit, MLflow, a Kubernetes cluster, all real. It listens on 127.0.0.1 only and
keeps its data in lab/.state/NAME. Several labs can be up at the same time.

  up                    bring the lab up, or make it whole again
    --cluster KIND      the cluster of a new lab: embedded (default), kind, current
    --context NAME      for --cluster current: the context of your kubeconfig
  down [--purge]        bring the lab down; --purge removes its data too
  status                the parts: state, process, address, memory, since
  logs [PART] [-f]      a part's log; -f follows it. Without PART: which parts there are
  env                   export lines for your shell: eval "$(npm run --silent lab -- env)"
  exec COMMAND …        run a command with those variables; --inside: in the lab's own namespaces

  --name NAME           which lab of this clone (default: default)
  --help                this text
`;

const CLUSTERS = ["embedded", "kind", "current"] as const;

const OPTIONS = {
  name: { type: "string", default: "default" },
  help: { type: "boolean", short: "h", default: false },
  cluster: { type: "string" },
  context: { type: "string" },
  purge: { type: "boolean", default: false },
  follow: { type: "boolean", short: "f", default: false },
  inside: { type: "boolean", default: false },
} as const;

/** Which options each command takes, beside --name and --help. */
const TAKES: Readonly<Record<string, readonly string[]>> = {
  up: ["cluster", "context"],
  down: ["purge"],
  status: [],
  logs: ["follow"],
  env: [],
  exec: ["inside"],
};

function wrong(message: string): LabError {
  return new LabError("USAGE", message, { remedy: "see: npm run lab -- --help" });
}

/** Splits the words after `exec`'s own options off: they belong to the command that is to run. */
function splitExec(args: readonly string[]): { own: string[]; command: string[] } {
  const start = args.indexOf("exec");
  if (start < 0) return { own: [...args], command: [] };
  let end = start + 1;
  while (args[end]?.startsWith("--")) {
    if (args[end] === "--") {
      return { own: args.slice(0, end), command: args.slice(end + 1) };
    }
    end += args[end] === "--name" ? 2 : 1;
  }
  return { own: args.slice(0, end), command: args.slice(end) };
}

/**
 * Reads the command line.
 * @throws LabError USAGE
 */
export function parseCommand(args: readonly string[]): Command {
  const { own, command } = splitExec(args);
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(own);
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  const [verb, ...rest] = positionals;
  if (values.help || verb === undefined || verb === "help") return { do: "help" };
  const takes = TAKES[verb];
  if (!takes) throw wrong(`"${verb}" is no command of the lab`);
  const given = Object.keys(OPTIONS).filter(
    (key) => values[key as keyof typeof values] && !["name", "help"].includes(key),
  );
  const stray = given.find((key) => !takes.includes(key));
  if (stray) throw wrong(`${verb} takes no --${stray}`);
  if (rest.length > (verb === "logs" ? 1 : 0)) throw wrong(`${verb} does not know what to do with "${rest.at(-1)}"`);
  return commandOf(verb, values, rest[0], command);
}

function parse(args: string[]) {
  return parseArgs({ args, options: OPTIONS, allowPositionals: true, strict: true });
}

function commandOf(
  verb: string,
  values: ReturnType<typeof parse>["values"],
  part: string | undefined,
  command: readonly string[],
): Command {
  const { name } = values;
  switch (verb) {
    case "up":
      return { do: "up", name, ...clusterOf(values.cluster, values.context) };
    case "down":
      return { do: "down", name, purge: values.purge };
    case "logs":
      return { do: "logs", name, part, follow: values.follow };
    case "exec":
      if (command.length === 0) throw wrong("exec needs a command");
      return { do: "exec", name, command, inside: values.inside };
    default:
      return { do: verb as "status" | "env", name };
  }
}

function clusterOf(
  cluster: string | undefined,
  context: string | undefined,
): { cluster?: ClusterKind; context?: string } {
  const kind = CLUSTERS.find((known) => known === cluster);
  if (cluster !== undefined && !kind) throw wrong(`--cluster is ${CLUSTERS.join(", ")}; not "${cluster}"`);
  if (context !== undefined && kind !== "current") throw wrong("--context goes with --cluster current");
  return { ...(kind && { cluster: kind }), ...(context !== undefined && { context }) };
}

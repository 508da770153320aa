import { createHash } from "node:crypto";
import { join } from "node:path";
import { launch, type Namespaces, type Network, SYSTEM_PATH } from "../namespaces/namespaces.ts";
import type { Step } from "../progress/step.ts";
import { writeIfDifferent } from "../state/atomic-file.ts";
import { inside, type LabHome } from "../state/home.ts";

/** How a part's process is asked to end before the lab's first process takes the rest with it. */
export interface Ending {
  readonly signal: NodeJS.Signals;
  readonly withinMs: number;
  /** Leaves what the process started running, when only this part is restarted. */
  readonly leaveChildren?: boolean;
}

/** One long-running process of the lab. */
export interface Part {
  readonly name: string;
  /** The parts that must be ready before this one starts. */
  readonly needs: readonly string[];
  /** Where it is reached, for the status table. */
  readonly address: string;
  /** Changes with everything that the running process was started with: a part of another fingerprint is restarted. */
  fingerprint(): string;
  /** The file that its output goes to. */
  readonly log: string;
  /** How long it may take until it is ready. */
  readonly patienceSeconds: number;
  readonly ending: Ending;
  start(namespaces: Namespaces, step: Step): Promise<void>;
  /** Throws while the part does not do its work yet. */
  ready(): Promise<void>;
  /** What has to hold once it is ready; runs at every `up`, so it is quick when there is nothing to do. */
  settle(): Promise<void>;
}

/** What describes a part that is one program. */
export interface Program {
  readonly name: string;
  readonly needs: readonly string[];
  readonly address: string;
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Configuration files, by their names in the lab's `config` folder. */
  files?(): Readonly<Record<string, string>>;
  /** The lab's own network unless told otherwise. */
  readonly network?: Network;
  readonly patienceSeconds?: number;
  readonly ending?: Ending;
  /** Runs before each start. */
  prepare?(step: Step): Promise<void>;
  ready(): Promise<void>;
  settle?(): Promise<void>;
}

/** How a part ends unless it says otherwise. */
export const ENDING: Ending = { signal: "SIGTERM", withinMs: 3000 };

/** The path of a configuration file as the part sees it. */
export function configFile(name: string): string {
  return inside("config", name);
}

/** A short name for a value: equal values have equal names. */
export function fingerprintOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 12);
}

/** A part that is one program with its configuration files, started inside the lab. */
export function programPart(home: LabHome, program: Program): Part {
  const { name, needs, address, command, network = "lab" } = program;
  const environment = { PATH: SYSTEM_PATH, HOME: inside("tmp"), TMPDIR: inside("tmp"), ...program.environment };
  const log = join(home.logs, `${name}.log`);
  const files = () => program.files?.() ?? {};
  const fingerprint = () => fingerprintOf({ command, environment, files: files(), network });
  return {
    name,
    needs,
    address,
    fingerprint,
    log,
    patienceSeconds: program.patienceSeconds ?? 60,
    ending: program.ending ?? ENDING,
    start: async (namespaces, step) => {
      for (const [file, content] of Object.entries(files())) {
        writeIfDifferent(join(home.state, "config", file), content);
      }
      await program.prepare?.(step);
      await launch(home, namespaces, { part: name, fingerprint: fingerprint(), network, command, environment, log });
    },
    ready: () => program.ready(),
    settle: async () => program.settle?.(),
  };
}

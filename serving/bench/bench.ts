import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { type Cores, chooseCores } from "./machine/cores.ts";
import { LoadGenerator } from "./machine/load.ts";
import { endAll, type PinnedProcess } from "./machine/process.ts";
import { readSample, type Sample, type SampleName } from "./samples.ts";
import { freePorts, type RunningServer, startCommand, startServer, type Verified, verify } from "./servers/running.ts";
import type { ServerId, ServerKind } from "./servers/server.ts";
import type { Way } from "./wire/request.ts";

/** How long and how often things are measured. */
export interface Pace {
  readonly runs: number;
  /** Seconds of each load that count. */
  readonly seconds: number;
  /** Seconds before those. */
  readonly warmUp: number;
  /** Seconds of load before anything is measured. */
  readonly heat: number;
  /** How many times longer loads on slow models last: a percentile needs enough requests. */
  readonly stretch: number;
  /** How many times more rounds there are where the 99th percentile decides: a stall of the machine is all of it in the round it meets. */
  readonly tail: number;
  /** Seconds of an open loop before any counts: it takes other paths than a closed one, which are to be compiled first. */
  readonly settle: number;
  /** Connections of the closed loops; the best counts. */
  readonly connections: readonly number[];
  /** Shares of a server's own capacity, for the open loops. */
  readonly shares: readonly number[];
  readonly cycles: number;
}

export const PACES = {
  full: {
    runs: 5,
    seconds: 2.5,
    warmUp: 0.5,
    heat: 2,
    stretch: 2,
    tail: 3,
    settle: 5,
    connections: [16, 64],
    shares: [0.25, 0.5, 0.75, 0.9],
    cycles: 100,
  },
  quick: {
    runs: 1,
    seconds: 1,
    warmUp: 0.2,
    heat: 0.5,
    stretch: 1.5,
    tail: 1,
    settle: 0.5,
    connections: [16],
    shares: [0.5],
    cycles: 20,
  },
} as const satisfies Record<string, Pace>;

export interface BenchOptions {
  readonly kinds: readonly ServerKind[];
  readonly loadProgram: string;
  /** What `models/make_models.py` wrote. */
  readonly models: string;
  readonly scratch: string;
  readonly pace: Pace;
  readonly say: (text: string) => void;
}

/** What the scenarios measure with: servers on the cores, the load, the pace. */
export class Bench {
  readonly pace: Pace;
  readonly cores: Cores = chooseCores();
  readonly generator: LoadGenerator;
  readonly scratch: string;
  readonly say: (text: string) => void;
  readonly kinds: readonly ServerKind[];
  /** Why a server did not start, by its title. */
  readonly absent = new Map<string, string>();
  readonly #models: string;
  #fleet: Fleet | undefined;

  constructor(options: BenchOptions) {
    this.pace = options.pace;
    this.kinds = options.kinds;
    this.scratch = options.scratch;
    this.say = options.say;
    this.#models = options.models;
    this.generator = new LoadGenerator(options.loadProgram, this.cores.load, options.scratch);
  }

  sample(name: SampleName): Sample {
    return readSample(this.#models, name);
  }

  kind(id: ServerId): ServerKind {
    const kind = this.kinds.find((one) => one.id === id);
    if (kind === undefined) throw new Error(`there is no server ${id}`);
    return kind;
  }

  /** Starts this repository's server alone on the server's core. */
  startOurs(sample: Sample, environment: Readonly<Record<string, string>> = {}): Promise<RunningServer> {
    const ours = this.kind("ours");
    const command = (site: Parameters<ServerKind["command"]>[0]) => {
      const usual = ours.command(site);
      return { ...usual, environment: { ...usual.environment, ...environment } };
    };
    return startServer({ ...ours, command }, { sample, cores: String(this.cores.server), scratch: this.scratch });
  }

  /** Every server on one model, started once for all scenarios in a row that want them. */
  async fleet(name: SampleName): Promise<Fleet> {
    if (this.#fleet?.name === name) return this.#fleet;
    await this.dismiss();
    this.#fleet = new Fleet(this, name);
    await this.#fleet.start();
    return this.#fleet;
  }

  /** Ends the servers of the fleet. */
  async dismiss(): Promise<void> {
    await this.#fleet?.stop();
    this.#fleet = undefined;
  }

  folder(prefix: string): string {
    return mkdtempSync(join(this.scratch, `${prefix}-`));
  }

  /** Ends every server and load. */
  async close(): Promise<void> {
    await this.dismiss();
    endAll();
  }
}

/** Every server, up at the same time on the same core, all on one model. Those that are not asked cost next to nothing. */
export class Fleet {
  readonly name: SampleName;
  readonly sample: Sample;
  readonly servers = new Map<ServerId, RunningServer>();
  readonly #bench: Bench;
  readonly #limits: PinnedProcess[] = [];

  constructor(bench: Bench, name: SampleName) {
    this.#bench = bench;
    this.name = name;
    this.sample = bench.sample(name);
  }

  async start(): Promise<void> {
    for (const kind of this.#bench.kinds) {
      this.#bench.say(`${kind.title}: starting on the model ${this.name}`);
      const { scratch, cores } = this.#bench;
      try {
        // One after the other: they share a core.
        this.servers.set(
          kind.id,
          await startServer(kind, { sample: this.sample, cores: String(cores.server), scratch }),
        );
      } catch (error) {
        this.#bench.absent.set(kind.title, (error as Error).message);
        this.#bench.say((error as Error).message);
      }
    }
  }

  /** A sample's request in one way, seen to be answered right; else why not. */
  async verified(id: ServerId, way: Way): Promise<Verified | { readonly fault: string }> {
    const server = this.servers.get(id);
    const { title } = this.#bench.kind(id);
    if (server === undefined) return { fault: this.#bench.absent.get(title) ?? "not started" };
    try {
      return await verify(this.#bench.generator, server, this.sample, way);
    } catch (error) {
      const fault = `not answered (${(error as Error).message.slice(0, 160)})`;
      this.#bench.say(`${title}, ${way}: ${fault}`);
      return { fault };
    }
  }

  /** Starts a server that is no peer but a limit, which answers GET / with success. */
  async startLimit(name: string, program: (port: number) => readonly string[]): Promise<RunningServer> {
    const ports = await freePorts();
    const limit = await startCommand(name, { command: process.execPath, args: program(ports.http) }, ports, {
      path: "/",
      cores: String(this.#bench.cores.server),
      log: join(this.#bench.folder(name), "log"),
    });
    this.#limits.push(limit.process);
    return limit;
  }

  async stop(): Promise<void> {
    for (const { process } of this.servers.values()) process.kill();
    for (const process of this.#limits) process.kill();
    await Promise.all([...this.servers.values()].map(({ process }) => process.ended));
  }
}

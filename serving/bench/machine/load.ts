import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isRpc, type WireRequest } from "../wire/request.ts";
import { type Command, PinnedProcess, runToEnd } from "./process.ts";

/** What the load generator found; times in milliseconds. See `load/attack.go`. */
export interface LoadReport {
  readonly requests: number;
  readonly succeeded: number;
  readonly errors: Readonly<Record<string, number>>;
  /** Answers that differ from the expected one, base64; empty once they have been judged. */
  readonly variants: readonly { readonly body: string; readonly count: number }[];
  readonly seconds: number;
  readonly throughput: number;
  readonly latency: Spread;
  readonly lateness: Spread;
  /** The load generator's own share of one core. */
  readonly cpu: number;
  /** The server's share of one core, warm-up included; absent for what is no server. */
  readonly serverCpu?: number;
}

export interface Spread {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** Where requests go: HOST:PORT of each protocol. */
export interface Address {
  readonly http: string;
  readonly grpc: string;
}

/** One request to one server, written down for the load generator. */
export interface Target {
  readonly flags: readonly string[];
  /** What is wrong with an answer that is not the expected one. */
  readonly faultOf: (answer: Buffer) => string | undefined;
  /**
   * Sets what answers are, byte for byte.
   * @param faultOf judges those that are not: they may be right all the same. Without it they are wrong.
   */
  readonly expecting: (answer: Buffer, faultOf?: Target["faultOf"]) => Target;
}

export interface LoadShape {
  readonly connections: number;
  /** Requests a second; 0: as many as the connections carry. */
  readonly rate: number;
  /** Seconds that count. */
  readonly seconds: number;
  /** Seconds before those. */
  readonly warmUp: number;
}

/** A load that goes on. */
export interface StartedLoad extends Disposable {
  /** Ends it in order: what is in flight is awaited, and counts. */
  readonly finish: () => Promise<LoadReport>;
}

/** Makes load with the program of the folder `load`. */
export class LoadGenerator {
  readonly #program: string;
  readonly #cores: string;
  readonly #scratch: string;

  constructor(program: string, cores: string, scratch: string) {
    this.#program = program;
    this.#cores = cores;
    this.#scratch = mkdtempSync(join(scratch, "load-"));
  }

  target(address: Address, request: WireRequest): Target {
    const body = join(mkdtempSync(join(this.#scratch, "request-")), "body");
    writeFileSync(body, request.body);
    const headers = Object.entries(request.headers).flatMap(([name, value]) => ["-header", `${name}: ${value}`]);
    const where = isRpc(request.way)
      ? ["-target", address.grpc, "-rpc", request.path]
      : ["-target", `http://${address.http}${request.path}`, ...headers];
    return targetOf([...where, "-body", body], `${body}.answer`);
  }

  /** A GET of a path. */
  get(address: Address, path: string): Target {
    return targetOf(["-target", `http://${address.http}${path}`, "-method", "GET"], join(this.#scratch, "answer"));
  }

  /**
   * Runs a load to its end.
   * @param server whose processor time is measured meanwhile.
   */
  async run(target: Target, shape: LoadShape, server?: PinnedProcess): Promise<LoadReport> {
    const before = { clock: performance.now(), used: server?.processorSeconds() ?? 0 };
    const report = settle(JSON.parse(await runToEnd(this.#command(target, shape), this.#cores)), target);
    if (server === undefined) return report;
    const used = server.processorSeconds() - before.used;
    return { ...report, serverCpu: used / ((performance.now() - before.clock) / 1000) };
  }

  /** Starts a load, until one of the answer's functions ends it. */
  start(target: Target, shape: LoadShape): StartedLoad {
    const log = join(mkdtempSync(join(this.#scratch, "run-")), "report.json");
    const running = new PinnedProcess(this.#command(target, shape), this.#cores, log);
    return {
      finish: async () => {
        running.signal("SIGINT");
        await running.ended;
        return settle(JSON.parse(readFileSync(log, "utf8")), target);
      },
      [Symbol.dispose]: () => running.kill(),
    };
  }

  /** Sends one request. @throws Error when it is not answered with success. */
  async once(target: Target): Promise<Buffer> {
    const output = join(mkdtempSync(join(this.#scratch, "once-")), "answer");
    const log = `${output}.log`;
    const args = [...target.flags, "-once", "-output", output];
    const child = new PinnedProcess({ command: this.#program, args }, this.#cores, log);
    if ((await child.ended) !== 0) throw new Error(child.tail().replace(/^load: /, ""));
    return readFileSync(output);
  }

  #command(target: Target, { connections, rate, seconds, warmUp }: LoadShape): Command {
    const shape = { connections, rate, duration: `${seconds}s`, "warm-up": `${warmUp}s` };
    const flags = Object.entries(shape).flatMap(([name, value]) => [`-${name}`, String(value)]);
    return { command: this.#program, args: [...target.flags, ...flags] };
  }
}

function targetOf(flags: readonly string[], file: string, faultOf: Target["faultOf"] = () => UNEXPECTED): Target {
  return {
    flags,
    faultOf,
    expecting: (answer, judge) => {
      writeFileSync(file, answer);
      return targetOf([...flags, "-expect", file], file, judge);
    },
  };
}

const UNEXPECTED = "another answer than expected";

/** Judges the answers that differ: right ones stay successes, wrong ones become errors. */
export function settle(report: LoadReport, { faultOf }: Pick<Target, "faultOf">): LoadReport {
  const errors = { ...report.errors };
  let wrong = 0;
  for (const { body, count } of report.variants) {
    const fault = faultOf(Buffer.from(body, "base64"));
    if (fault === undefined) continue;
    wrong += count;
    errors[fault] = (errors[fault] ?? 0) + count;
  }
  return { ...report, errors, variants: [], succeeded: report.succeeded - wrong };
}

/** How many requests got no right answer. */
export function failed(report: LoadReport): number {
  return report.requests - report.succeeded;
}

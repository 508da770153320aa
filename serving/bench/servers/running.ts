import { mkdtempSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Address, LoadGenerator, Target } from "../machine/load.ts";
import { type Command, PinnedProcess } from "../machine/process.ts";
import type { Sample } from "../samples.ts";
import { faultOf, type WireAnswer } from "../wire/answer.ts";
import { isRpc, requestOf, type Way, type WireRequest } from "../wire/request.ts";
import type { Ports, ServerKind } from "./server.ts";

const READY_WITHIN_MS = 120_000;

/** A server that is up. */
export interface RunningServer {
  readonly process: PinnedProcess;
  readonly address: Address;
  /** From the start of the process to the first answer of its readiness, in milliseconds. */
  readonly readyAfter: number;
}

export interface StartOptions {
  readonly sample: Sample;
  readonly cores: string;
  readonly scratch: string;
  readonly workers?: number;
}

/** Starts a server and waits until it says that it is ready. @throws Error with the end of its log. */
export async function startServer(kind: ServerKind, options: StartOptions): Promise<RunningServer> {
  const { sample, cores, workers = 1 } = options;
  const scratch = mkdtempSync(join(options.scratch, `${kind.id}-`));
  const ports = await freePorts();
  const command = kind.command({ sample, ports, scratch, workers });
  const path = kind.readyPath?.(sample) ?? "/v2/health/ready";
  return startCommand(kind.title, command, ports, { path, cores, log: join(scratch, "log") });
}

/** Starts anything that listens on `ports.http` and answers a path with 200 once it is ready. */
export async function startCommand(
  title: string,
  command: Command,
  ports: Ports,
  { path, cores, log }: { path: string; cores: string; log: string },
): Promise<RunningServer> {
  const address = { http: `127.0.0.1:${ports.http}`, grpc: `127.0.0.1:${ports.grpc}` };
  const process = new PinnedProcess(command, cores, log);
  for (;;) {
    const answered = await fetch(`http://${address.http}${path}`).then(
      (response) => response.arrayBuffer().then(() => response.ok),
      () => false,
    );
    const readyAfter = performance.now() - process.started;
    if (answered) return { process, address, readyAfter };
    if (process.hasEnded || readyAfter > READY_WITHIN_MS) {
      process.kill();
      throw new Error(`${title} did not get ready:\n${process.tail()}`);
    }
    await sleep(5);
  }
}

/** Below the ports that the kernel gives to outgoing connections, of which a load makes many. */
const PORTS = { from: 15_000, to: 20_000 };
let nextPort = PORTS.from + (process.pid % (PORTS.to - PORTS.from));

/** Ports that were free a moment ago, others at each call. */
export async function freePorts(): Promise<Ports> {
  return { http: await freePort(), grpc: await freePort(), metrics: await freePort() };
}

async function freePort(): Promise<number> {
  for (;;) {
    const port = nextPort++;
    if (nextPort === PORTS.to) nextPort = PORTS.from;
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().on("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** A request that was seen to be answered right. */
export interface Verified {
  readonly target: Target;
  /** The answer's body. Answers of the load that are others are judged like the first. */
  readonly answer: Buffer;
}

/** Sends a sample's request in one way, and checks the answer. @throws Error that says what was wrong with it. */
export async function verify(
  generator: LoadGenerator,
  server: RunningServer,
  sample: Sample,
  way: Way,
): Promise<Verified> {
  const request = requestOf(sample, way);
  const target = generator.target(server.address, request);
  const answer = isRpc(way) ? { body: await generator.once(target) } : await post(server.address, request);
  const fault = faultOf(sample, way, answer);
  if (fault !== undefined) throw new Error(fault);
  const again = await generator.once(target);
  // The same request gets a head of the same length: it is what the header said of the first answer.
  const judge = (body: Buffer) => faultOf(sample, way, { ...answer, body });
  return { target: target.expecting(again, judge), answer: answer.body };
}

async function post(address: Address, request: WireRequest): Promise<WireAnswer> {
  const response = await fetch(`http://${address.http}${request.path}`, {
    method: "POST",
    headers: request.headers,
    body: new Uint8Array(request.body),
  });
  const body = Buffer.from(await response.arrayBuffer());
  if (!response.ok) throw new Error(`HTTP ${response.status}: ${body.toString("utf8", 0, 200)}`);
  const length = response.headers.get("inference-header-content-length");
  return { body, ...(length !== null && { jsonLength: Number(length) }) };
}

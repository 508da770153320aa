import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { ServerProcess } from "../server-process.ts";

const MIB = 1024 * 1024;

/** Limits of the server that is fuzzed; small, so that to go beyond them takes little. */
export const MAX_BODY_BYTES = MIB;

/** What the server is started with. */
export const ENVIRONMENT = { MAX_BODY_BYTES: String(MAX_BODY_BYTES), WORKERS: "1" } as const;

/** Connections that are used at a time. */
export const LANES = 6;

/**
 * What the server may take beyond what it had when it was warm. A request is held as its body, as doubles of four times its
 * size (an element is two bytes of text at least), as a tensor and the runtime's copies of it, four times each, and as the
 * answer's text: 32 times its size in all. On top of it comes what the garbage collectors of the event loop and of the
 * models' threads have not got to.
 */
const BOUND_BYTES = LANES * 32 * MAX_BODY_BYTES + 128 * MIB;

/** What a bomb expands to: more than the bound, so that one that were expanded whole would be seen. */
export const BOMB_BYTES = BOUND_BYTES + 100 * MIB;

/** Watches a server while it is fuzzed. */
export class ServerHealth {
  readonly #server: ServerProcess;
  readonly #before: number;

  /** @param server warm */
  constructor(server: ServerProcess) {
    this.#server = server;
    this.#before = this.#memory("VmRSS");
  }

  /** @throws Error when it ended, logged a fault, or took more memory than its limits explain */
  check(): void {
    const { child, log, stderr } = this.#server;
    assert.equal(child.exitCode ?? child.signalCode, null, `the server ended: ${stderr}`);
    const faults = log.filter(({ level, reason, stack, status, code }) => {
      // A time limit that a request set itself.
      const isLate = status === 504 || code === "DEADLINE_EXCEEDED";
      return (level === "error" && !isLate) || stack !== undefined || String(reason).includes("internal error");
    });
    assert.deepEqual(faults, []);
    assert.equal(stderr, "");
    // The most that it ever had.
    const grown = this.#memory("VmHWM") - this.#before;
    assert.ok(
      grown < BOUND_BYTES,
      `it took ${Math.round(grown / MIB)} MiB more, at most ${BOUND_BYTES / MIB} expected`,
    );
  }

  /** For people. */
  get summary(): string {
    const [before, now, most] = [this.#before, this.#memory("VmRSS"), this.#memory("VmHWM")];
    const mib = (bytes: number) => Math.round(bytes / MIB);
    return `resident memory ${mib(before)} MiB before, ${mib(now)} MiB after, ${mib(most)} MiB at most`;
  }

  /** proc_pid_status(5): `VmRSS`, or `VmHWM`, its peak. */
  #memory(field: "VmRSS" | "VmHWM"): number {
    const status = readFileSync(`/proc/${this.#server.child.pid}/status`, "utf8");
    return Number(new RegExp(`${field}:\\s*(\\d+) kB`).exec(status)?.[1]) * 1024;
  }
}

import type { Command } from "../machine/process.ts";
import type { Sample } from "../samples.ts";
import type { Way } from "../wire/request.ts";

export interface Ports {
  readonly http: number;
  readonly grpc: number;
  readonly metrics: number;
}

/** What a server is started with. */
export interface Site {
  readonly sample: Sample;
  readonly ports: Ports;
  /** A folder of its own for configuration files. */
  readonly scratch: string;
  /** Processes, or what comes nearest in this server. */
  readonly workers: number;
}

export type ServerId = "ours" | "fastapi" | "mlserver" | "kserve";

/** A server that can be measured. */
export interface ServerKind {
  readonly id: ServerId;
  /** Its name and version, for the tables. */
  readonly title: string;
  /** How requests can be sent to it. */
  readonly ways: readonly Way[];
  readonly command: (site: Site) => Command;
  /** Answers 200 when the model can be asked; the server's own readiness when it is left out. */
  readonly readyPath?: (sample: Sample) => string;
}

/** What every server gets to see: one thread for each operator, and for the libraries beneath. */
export const ONE_THREAD = { INTRA_OP_THREADS: "1", OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" } as const;

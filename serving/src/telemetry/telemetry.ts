import type { Execution, ExecutionListener } from "../execution/statistics.ts";

export type Protocol = "rest" | "grpc";

/** Reads one header (REST) or metadata entry (gRPC) by its lower-case name. */
export type HeaderReader = (name: string) => string | undefined;

/** One inference request, from its arrival to its answer. */
export interface RequestRecord {
  /** The model and version that answer, once they are known: names from requests never become labels. */
  model(name: string, version: string): void;
  /**
   * The execution that computed this request's outputs, maybe together with others'.
   *
   * @param queueMs how long this request waited for it
   */
  executed(execution: Execution, queueMs: number): void;
  /**
   * The answer is known. Called once.
   *
   * @param status HTTP status, or the name of a gRPC code
   */
  finish(status: string): void;
}

/** What requests and models tell about themselves. */
export interface Telemetry {
  /** Begins the record of an inference request. */
  begin(protocol: Protocol, header: HeaderReader): RequestRecord;
  /** Where a model's executions are counted. */
  executions(model: string, version: string): ExecutionListener;
}

const nothing: RequestRecord = { model: () => undefined, executed: () => undefined, finish: () => undefined };

/** Records nothing. */
export const NO_TELEMETRY: Telemetry = { begin: () => nothing, executions: () => () => undefined };

import { once } from "node:events";
import type { Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Connections } from "../http/connections.ts";

/** How long requests in flight may take once the server has stopped listening. The chart's grace period counts it in. */
export const IN_FLIGHT_LIMIT_MS = 10_000;

export interface DrainTimes {
  /** How long new requests are still answered. */
  readonly stillAnswerMs: number;
  /** How long requests in flight may take after that. */
  readonly inFlightMs?: number;
}

/**
 * Ends a server without refusing anybody: it goes on answering for a while, so that whoever routes traffic here can
 * learn that readiness is gone; then it stops listening, and requests in flight are answered.
 *
 * @throws Error when requests were still in flight at the end; their connections are closed
 */
export async function drain(
  server: Server,
  connections: Connections,
  { stillAnswerMs, inFlightMs = IN_FLIGHT_LIMIT_MS }: DrainTimes,
): Promise<void> {
  await sleep(stillAnswerMs);
  const closed = once(server, "close");
  server.close();
  connections.closeSilent();
  const limit = new AbortController();
  const late = sleep(inFlightMs, "late", { signal: limit.signal }).catch(() => undefined);
  const outcome = await Promise.race([closed, late]);
  limit.abort();
  if (outcome !== "late") return;
  server.closeAllConnections();
  throw new Error(`requests were still in flight ${inFlightMs / 1000} s after the server stopped listening`);
}

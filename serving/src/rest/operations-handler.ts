import type { Answer, Answering, Handler, RequestHead } from "../http/exchange.ts";
import { refusal } from "../http/exchange.ts";
import type { RestHandler } from "./handler.ts";
import { matchRoute } from "./routes.ts";

const ANSWERED: ReadonlySet<string> = new Set(["live", "ready", "metrics"]);

/** The port for probes and scrapers: health and metrics in plain text, and nothing of the models. */
export class OperationsHandler implements Handler {
  readonly #rest: RestHandler;

  constructor(rest: RestHandler) {
    this.#rest = rest;
  }

  keepsConnections(): boolean {
    return true;
  }

  /** Logged where all else is; nothing of it is an inference. */
  refused(head: RequestHead, answer: Answer): void {
    this.#rest.refused(head, answer);
  }

  admit(head: RequestHead): Answering | Answer {
    const kind = matchRoute(head.target)?.kind ?? "none";
    if (ANSWERED.has(kind)) return this.#rest.admit(head);
    return refusal(404, "here are /v2/health/live, /v2/health/ready and /metrics; models are on the other port");
  }
}

import { type Clock, systemClock } from "../action-runtime/clock.ts";
import { ActionError } from "../action-runtime/error.ts";

/** What `fetch` takes as a body: text, bytes or a stream. */
export type RequestBody = NonNullable<RequestInit["body"]>;

export interface RequestOptions {
  /** What is asked for, as the error should name it: "the registry", "MLflow". */
  readonly service: string;
  /** Stable code of the error when the service cannot be reached. */
  readonly unreachableCode: string;
  /** What to do when it cannot be reached. */
  readonly unreachableRemedy: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RequestBody | (() => RequestBody);
  /** Time for one attempt, in milliseconds, up to the response's headers. Default 30,000. */
  readonly timeoutMilliseconds?: number;
  /** Time for the whole body after the headers, in milliseconds. Default 300,000. */
  readonly bodyTimeoutMilliseconds?: number;
  /**
   * Attempts in all. Default: 4 for GET and HEAD, 1 for everything else; only a caller that knows a repetition to be
   * harmless, or looks the effect up in between, may ask for more.
   */
  readonly attempts?: number;
  readonly redirect?: "follow" | "manual";
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** From 0 to 1; spreads the retries of many jobs. */
  readonly random?: () => number;
}

const retried = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * One HTTP exchange with a timeout, and with bounded retries where they are safe. Resolves with any status that is not
 * retried away; the caller decides what one means.
 *
 * @throws ActionError with `unreachableCode` when no attempt got an answer, or the signal's reason.
 */
export async function request(url: string | URL, options: RequestOptions): Promise<Response> {
  const clock = options.clock ?? systemClock;
  const method = options.method ?? "GET";
  const attempts = options.attempts ?? (method === "GET" || method === "HEAD" ? 4 : 1);
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await attemptOnce(url, method, options);
    if (outcome instanceof Response && !(retried.has(outcome.status) && attempt < attempts)) return outcome;
    if (!(outcome instanceof Response) && attempt >= attempts) throw unreachable(url, options, outcome, attempts);
    if (outcome instanceof Response) await outcome.body?.cancel();
    const asked = outcome instanceof Response ? retryAfter(outcome, clock) : 0;
    const backoff = 250 * 2 ** (attempt - 1) * (0.5 + (options.random ?? Math.random)());
    await clock.sleep(Math.min(Math.max(backoff, asked), 30_000), options.signal);
  }
}

async function attemptOnce(url: string | URL, method: string, options: RequestOptions): Promise<Response | Error> {
  options.signal?.throwIfAborted();
  const limit = new AbortController();
  const milliseconds = options.timeoutMilliseconds ?? 30_000;
  const timer = setTimeout(() => limit.abort(new Error(`no answer within ${milliseconds / 1_000} s`)), milliseconds);
  const signal = options.signal ? AbortSignal.any([options.signal, limit.signal]) : limit.signal;
  try {
    const body = typeof options.body === "function" ? options.body() : options.body;
    const init: RequestInit & { duplex?: "half" } = { method, signal, redirect: options.redirect ?? "follow" };
    if (options.headers) init.headers = { ...options.headers };
    if (body !== undefined) init.body = body;
    if (body instanceof ReadableStream) init.duplex = "half";
    const response = await fetch(url, init);
    const bodyLimit = options.bodyTimeoutMilliseconds ?? 300_000;
    setTimeout(() => limit.abort(new Error(`the body did not end within ${bodyLimit / 1_000} s`)), bodyLimit).unref();
    return response;
  } catch (error) {
    options.signal?.throwIfAborted();
    return (limit.signal.aborted ? limit.signal.reason : error) as Error;
  } finally {
    clearTimeout(timer);
  }
}

/** Milliseconds that the service asks to wait: RFC 9110, section 10.2.3, as seconds or as a date. */
function retryAfter(response: Response, clock: Clock): number {
  const value = response.headers.get("retry-after");
  if (value === null) return 0;
  const seconds = Number(value);
  const milliseconds = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(value) - clock.now();
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : 0;
}

function unreachable(url: string | URL, options: RequestOptions, error: Error, attempts: number): ActionError {
  const cause = error.cause instanceof Error ? error.cause : error;
  const { host } = new URL(url);
  const tries = attempts === 1 ? "" : ` after ${attempts} attempts`;
  return new ActionError(options.unreachableCode, {
    message: `${options.service} at ${host} cannot be reached${tries}: ${networkReason(cause)}`,
    remedy: options.unreachableRemedy,
    blame: "inconclusive",
    cause: error,
  });
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused; nothing listens there",
  ENOTFOUND: "the host name does not resolve",
  EAI_AGAIN: "the host name could not be looked up",
  ETIMEDOUT: "the connection timed out",
  ECONNRESET: "the connection was reset",
  UND_ERR_CONNECT_TIMEOUT: "the connection timed out",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not signed by an authority the runner trusts",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed",
  CERT_HAS_EXPIRED: "its certificate has expired",
};

/** A network error in words. Several addresses of one name fail together in an AggregateError, whose code is theirs. */
export function networkReason(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return (code !== undefined && reasons[code]) || error.message || code || "unknown network error";
}

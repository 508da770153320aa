import { type Clock, systemClock } from "../action-runtime/clock.ts";
import { ActionError } from "../action-runtime/error.ts";
import { type RequestBody, type RequestOptions, request } from "../http/request.ts";
import type { MlflowConnection } from "./connection.ts";
import { refusal, wrongForm } from "./refusal.ts";

export interface MlflowApiOptions {
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** Time for one attempt, in milliseconds. Default 30,000. */
  readonly timeoutMilliseconds?: number;
  /** Attempts of what may be repeated. Default 4. */
  readonly attempts?: number;
}

/** Codes of MLflow's own errors, in the `error_code` of an answer. Source: mlflow/protos/databricks.proto. */
export type MlflowErrorCode = "RESOURCE_DOES_NOT_EXIST" | "RESOURCE_ALREADY_EXISTS" | "INVALID_PARAMETER_VALUE";

export interface CallOptions {
  /** What is asked for, for the error: "MLflow refused to <what>". */
  readonly what: string;
  /** Refusals that the caller expects: the call then resolves with undefined. */
  readonly unless?: readonly MlflowErrorCode[];
  /** Whether carrying it out twice is the same as once. Default: true for GET. */
  readonly repeatable?: boolean;
}

type Query = Readonly<Record<string, string | number | undefined>>;

/** MLflow's REST API. Source: https://mlflow.org/docs/latest/api_reference/rest-api.html */
export class MlflowApi {
  readonly connection: MlflowConnection;
  readonly options: MlflowApiOptions;

  constructor(connection: MlflowConnection, options: MlflowApiOptions = {}) {
    this.connection = connection;
    this.options = options;
  }

  /** Reads. Resolves with undefined only for a refusal that `unless` names. */
  async get<T>(
    path: string,
    query: Query,
    options: CallOptions & { unless: readonly MlflowErrorCode[] },
  ): Promise<T | undefined>;
  async get<T>(path: string, query: Query, options: CallOptions): Promise<T>;
  async get<T>(path: string, query: Query, options: CallOptions): Promise<T | undefined> {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
    return this.#json<T>(await this.send(`/api/2.0/${path}?${search}`, { attempts: this.attempts }), options);
  }

  /** Writes: sent once, unless it may be repeated. */
  async post<T>(
    path: string,
    body: unknown,
    options: CallOptions & { unless: readonly MlflowErrorCode[] },
  ): Promise<T | undefined>;
  async post<T>(path: string, body: unknown, options: CallOptions): Promise<T>;
  async post<T>(path: string, body: unknown, options: CallOptions): Promise<T | undefined> {
    const response = await this.send(`/api/2.0/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      attempts: options.repeatable ? this.attempts : 1,
    });
    return this.#json<T>(response, options);
  }

  /** The bytes of an answer, not read yet. */
  async open(path: string, what: string): Promise<Response> {
    const response = await this.send(path, { attempts: this.attempts, bodyTimeoutMilliseconds: 3_600_000 });
    if (!response.ok) throw await refusal(response, this.connection, what);
    return response;
  }

  /** Stores bytes under a path. `body` is a function, so that each attempt gets a fresh stream. */
  async put(path: string, body: () => RequestBody, what: string): Promise<void> {
    const response = await this.send(path, {
      method: "PUT",
      headers: { "content-type": "application/octet-stream" },
      body,
      attempts: this.attempts,
      timeoutMilliseconds: Math.max(300_000, this.options.timeoutMilliseconds ?? 0),
    });
    if (!response.ok) throw await refusal(response, this.connection, what);
    await response.body?.cancel();
  }

  /** Whatever MLflow answers. A redirect is not followed: it would turn a POST into a GET, and lead the login elsewhere. */
  async send(path: string, options: Partial<RequestOptions>): Promise<Response> {
    const { authorization } = this.connection;
    return request(`${this.connection.address}${path}`, {
      service: "MLflow",
      unreachableCode: "MLFLOW_UNREACHABLE",
      unreachableRemedy: "check mlflow-tracking-uri, and that the runner reaches the server; then re-run the job",
      redirect: "manual",
      timeoutMilliseconds: this.options.timeoutMilliseconds ?? 30_000,
      clock: this.clock,
      ...(this.options.signal ? { signal: this.options.signal } : {}),
      ...options,
      headers: { ...options.headers, ...(authorization === undefined ? {} : { authorization }) },
    });
  }

  get clock(): Clock {
    return this.options.clock ?? systemClock;
  }

  get attempts(): number {
    return this.options.attempts ?? 4;
  }

  /** The same server for a last word after a cancellation: no signal, one attempt, little time. */
  forLastWord(timeoutMilliseconds = 2_000): MlflowApi {
    return new MlflowApi(this.connection, { clock: this.clock, timeoutMilliseconds, attempts: 1 });
  }

  async #json<T>(response: Response, options: CallOptions): Promise<T | undefined> {
    if (!response.ok) {
      const refused = await refusal(response, this.connection, options.what);
      if (options.unless?.some((code) => code === refused.errorCode)) return undefined;
      throw refused;
    }
    const text = await response.text().catch((cause: unknown) => {
      throw new ActionError("MLFLOW_UNREACHABLE", {
        message: `MLflow at ${new URL(this.connection.address).host} broke off its answer`,
        remedy: "re-run the job; if it comes back, look at the server's log and at the proxy in front of it",
        blame: "inconclusive",
        cause,
      });
    });
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw wrongForm(response, this.connection, options.what, cause);
    }
  }
}

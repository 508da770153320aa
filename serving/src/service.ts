import type { Logger } from "./logging/logger.ts";
import type { Model } from "./models/model.ts";
import type { BytesElements } from "./protocol/bytes-elements.ts";
import type { Telemetry } from "./telemetry/telemetry.ts";

/** One line of the repository index. https://github.com/triton-inference-server/server (extension_model_repository) */
export interface IndexEntry {
  readonly name: string;
  readonly version: string;
  readonly state: "READY" | "LOADING" | "UNLOADING" | "UNAVAILABLE";
  /** Why it is not ready; empty when it is. */
  readonly reason: string;
}

/** The models that can be asked for. */
export interface Catalog {
  /**
   * That version of that model, by default its highest that is ready.
   *
   * @throws ProtocolError 404 when there is no such model or version, 503 while it is not ready
   */
  get(name: string, version?: string): Model;
  /** @throws ProtocolError (404) when there is no such model or version */
  isReady(name: string, version?: string): boolean;
  /**
   * The versions of a model that are ready, lowest first.
   *
   * @throws ProtocolError (404) when there is no such model
   */
  versions(name: string): readonly string[];
  /** Every version of every model, by name and rising version. */
  index(): readonly IndexEntry[];
  /** Every model that is ready. */
  models(): readonly Model[];
  /**
   * Loads a model from the repository, or loads it again: the versions that its policy names. What is served goes on being
   * served until the new one is ready, and stays when that fails.
   *
   * @throws ProtocolError 404 when the repository has no such model, 400 with the reason when it cannot be served
   */
  load(name: string): Promise<void>;
  /**
   * Takes a model out of service; requests in flight finish.
   *
   * @throws ProtocolError (404) when there is no such model
   */
  unload(name: string): Promise<void>;
}

/** What requests are answered from, whatever protocol they come by. */
export interface Service {
  readonly catalog: Catalog;
  /** Whether the server wants traffic: false while it loads and while it drains. */
  readonly isReady: () => boolean;
  /** This server's own version. */
  readonly version: string;
  /** Whether clients may load and unload models. */
  readonly modelControl: boolean;
  /** Largest request body (REST, also after decompression) or message (gRPC). */
  readonly maxBodyBytes: number;
  /** Largest JSON of a request, and largest data in JSON of an answer. */
  readonly maxJsonBytes: number;
  /** Inputs, and outputs, that one request may name. */
  readonly maxTensors: number;
  /** Elements of BYTES tensors that one request, and all together, may hold. */
  readonly bytesElements: BytesElements;
  /** How long a request may wait and run before it is answered 504, unless it asks for less; milliseconds. */
  readonly requestTimeoutMs: number;
  readonly telemetry: Telemetry;
  readonly log: Logger;
  /**
   * Whether a request may pass. Health and metrics are not asked about.
   *
   * @param authorization the header as it came
   */
  readonly isAuthorized: (authorization: string | undefined) => boolean;
}

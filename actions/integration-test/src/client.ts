import type { ActionContext } from "../../shared/src/action-runtime/action.ts";
import { ActionError } from "../../shared/src/action-runtime/error.ts";
import { type RequestOptions, request } from "../../shared/src/http/request.ts";
import { type Endpoint, reportMilliseconds } from "./endpoint.ts";

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly milliseconds: number;
}

type Init = Pick<RequestOptions, "method" | "headers" | "body">;

/** More than this is no answer of a model server that tests can use. */
const largestAnswer = 64 * 1024 * 1024;

/** Speaks HTTP to the endpoint, and opens the way to it again, once, when that breaks. */
export class Client {
  readonly #endpoint: Endpoint;
  readonly #context: Pick<ActionContext, "signal" | "clock">;
  #hasAnswered = false;

  constructor(endpoint: Endpoint, context: Pick<ActionContext, "signal" | "clock">) {
    this.#endpoint = endpoint;
    this.#context = context;
  }

  get(path: string): Promise<Answer> {
    return this.#send(path, {}, path);
  }

  /**
   * Inference changes nothing, so a broken connection is no reason not to ask again.
   *
   * @param what names the request for people
   */
  post(path: string, body: string, what: string): Promise<Answer> {
    return this.#send(path, { method: "POST", headers: { "content-type": "application/json" }, body }, what);
  }

  async #send(path: string, init: Init, what: string): Promise<Answer> {
    try {
      return await this.#sendOnce(path, init);
    } catch (error) {
      if (!(error instanceof ActionError) || error.code !== "ENDPOINT_UNREACHABLE") throw error;
      // One that never answered is still asked again and again: the next time tells.
      const crash = await this.#endpoint.crashed(this.#hasAnswered ? reportMilliseconds : 0);
      if (crash !== undefined) throw serverEnded(crash, what);
      if (!(await this.#endpoint.reconnect())) throw error;
      return await this.#sendOnce(path, init);
    }
  }

  async #sendOnce(path: string, init: Init): Promise<Answer> {
    const { signal, clock } = this.#context;
    const started = performance.now();
    try {
      const response = await request(`${this.#endpoint.url}${path}`, {
        service: "the model's endpoint",
        unreachableCode: "ENDPOINT_UNREACHABLE",
        unreachableRemedy: "see whether the model's pods run; then re-run",
        attempts: 1,
        signal,
        clock,
        ...init,
      });
      const text = await readText(response);
      this.#hasAnswered = true;
      return { status: response.status, text, milliseconds: performance.now() - started };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ActionError) throw error;
      throw new ActionError("ENDPOINT_UNREACHABLE", {
        message: `the model's endpoint broke off its answer to ${path}: ${(error as Error).message}`,
        remedy: "see whether the model's pods run; then re-run",
        blame: "inconclusive",
        cause: error,
      });
    }
  }
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > largestAnswer) throw new Error(`the answer is larger than ${largestAnswer / 1_048_576} MiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function serverEnded(crash: string, what: string): ActionError {
  return new ActionError("SERVER_CRASHED", {
    message: `${crash} when it was sent ${what}`,
    remedy: "see the pod's previous log (kubectl logs --previous); send the same request to the image on your machine",
  });
}

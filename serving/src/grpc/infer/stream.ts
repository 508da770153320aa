import type { handleBidiStreamingCall, ServerDuplexStream } from "@grpc/grpc-js";
import { Cancellation, Cancelled } from "../../execution/cancellation.ts";
import type { BodyBudget } from "../../http/limits.ts";
import { ProtocolError } from "../../protocol/error.ts";
import type { Service } from "../../service.ts";
import { authorize, deadlineOf, headerOf, refuse } from "../call.ts";
import type { OpenStreams } from "../open-streams.ts";
import { codeName } from "../status.ts";
import { held, infer } from "./infer.ts";
import { readInferRequestMessage } from "./request-message.ts";
import { delimitedField } from "./response.ts";

type Call = ServerDuplexStream<Buffer, Buffer>;

/** Requests of one stream that wait or run; above it no more are read from the socket. */
const MAX_IN_FLIGHT = 32;
const METHOD = "ModelStreamInfer";

/**
 * `ModelStreamInfer`: requests and answers in the same order. A request that fails is answered with an `error_message`, and
 * the stream goes on.
 */
export function modelStreamInfer(
  service: Service,
  streams: OpenStreams,
  budget: BodyBudget,
): handleBidiStreamingCall<Buffer, Buffer> {
  return (call) => {
    try {
      authorize(service, call.metadata);
    } catch (error) {
      call.emit("error", refuse(service, METHOD, error));
      return;
    }
    const stream = new InferStream(service, call, budget);
    const leave = streams.enter(() => stream.stop());
    call.on("cancelled", leave);
  };
}

class InferStream {
  readonly #service: Service;
  readonly #call: Call;
  readonly #budget: BodyBudget;
  readonly #cancellations = new Set<Cancellation>();
  /** Settled when every answer so far is written. */
  #written: Promise<void> = Promise.resolve();
  #inFlight = 0;
  #blocked = false;
  #ended = false;

  constructor(service: Service, call: Call, budget: BodyBudget) {
    this.#service = service;
    this.#budget = budget;
    this.#call = call;
    call.on("data", (bytes: Buffer) => this.#take(bytes));
    call.on("end", () => this.#end(() => call.end()));
    call.on("drain", () => {
      this.#blocked = false;
      this.#readOn();
    });
    call.on("cancelled", () => {
      for (const cancellation of this.#cancellations) cancellation.cancel();
    });
  }

  /** Answers what was read, then ends the stream. */
  stop(): void {
    this.#call.pause();
    const leaving = new ProtocolError(503, "the server is shutting down, open the stream again");
    this.#end(() => this.#call.emit("error", refuse(this.#service, METHOD, leaving)));
  }

  #end(finish: () => void): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#written = this.#written.then(finish);
  }

  #take(bytes: Buffer): void {
    if (this.#ended) return;
    const answer = this.#answer(bytes);
    this.#inFlight++;
    if (this.#inFlight >= MAX_IN_FLIGHT) this.#call.pause();
    this.#written = this.#written.then(async () => {
      const message = await answer;
      this.#inFlight--;
      if (message !== undefined && !this.#call.cancelled) this.#blocked = !this.#call.write(message);
      this.#readOn();
    });
  }

  #readOn(): void {
    if (!this.#ended && !this.#blocked && this.#inFlight < MAX_IN_FLIGHT) this.#call.resume();
    else if (this.#blocked) this.#call.pause();
  }

  /** A `ModelStreamInferResponse`; undefined when nobody waits for it any more. Never rejects. */
  async #answer(bytes: Buffer): Promise<Buffer | undefined> {
    const { metadata } = this.#call;
    const record = this.#service.telemetry.begin("grpc", (name) => headerOf(metadata, name));
    const cancellation = new Cancellation();
    this.#cancellations.add(cancellation);
    let id = "";
    try {
      const message = readInferRequestMessage(bytes, this.#service.maxTensors);
      id = message.id;
      const deadline = deadlineOf(this.#call);
      const parameters = { record, deadline, cancellation, streamed: true };
      const response = await held(this.#budget, bytes, () => infer(this.#service, message, parameters));
      record.finish("OK");
      return delimitedField(2, response);
    } catch (error) {
      const { code, details } = refuse(this.#service, METHOD, error);
      record.finish(codeName(code));
      return error instanceof Cancelled ? undefined : failure(id, details);
    } finally {
      this.#cancellations.delete(cancellation);
    }
  }
}

/** The answer to a request that failed. Its id tells which. */
function failure(id: string, details: string): Buffer {
  const message = delimitedField(1, Buffer.from(details));
  if (id === "") return message;
  return Buffer.concat([message, delimitedField(2, delimitedField(3, Buffer.from(id)))]);
}

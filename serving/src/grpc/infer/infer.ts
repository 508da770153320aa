import type { handleUnaryCall } from "@grpc/grpc-js";
import { Cancellation } from "../../execution/cancellation.ts";
import { type BodyBudget, OUT_OF_MEMORY } from "../../http/limits.ts";
import { ProtocolError } from "../../protocol/error.ts";
import type { Service } from "../../service.ts";
import type { RequestRecord } from "../../telemetry/telemetry.ts";
import { authorize, deadlineOf, headerOf, refuse } from "../call.ts";
import { codeName } from "../status.ts";
import { readInferRequest } from "./request.ts";
import { type InferRequestMessage, readInferRequestMessage } from "./request-message.ts";
import { writeInferResponse } from "./response.ts";

/** What is known of a request beside its message. */
export interface InferCall {
  readonly record: RequestRecord;
  /** Milliseconds since 1970 until which the client waits; Infinity when it did not say. */
  readonly deadline: number;
  readonly cancellation: Cancellation;
  /** One of several answers of a stream. */
  readonly streamed: boolean;
}

/** `ModelInfer`: one request, one answer. */
export function modelInfer(service: Service, budget: BodyBudget): handleUnaryCall<Buffer, Buffer> {
  return (call, respond) => {
    const { metadata, request } = call;
    const record = service.telemetry.begin("grpc", (name) => headerOf(metadata, name));
    const cancellation = new Cancellation();
    call.on("cancelled", () => cancellation.cancel());
    const run = async (): Promise<Buffer> => {
      authorize(service, metadata);
      const parameters = { record, deadline: deadlineOf(call), cancellation, streamed: false };
      return held(budget, request, () =>
        infer(service, readInferRequestMessage(request, service.maxTensors), parameters),
      );
    };
    run().then(
      (response) => {
        record.finish("OK");
        respond(null, response);
      },
      (error: unknown) => {
        const refusal = refuse(service, "ModelInfer", error);
        record.finish(codeName(refusal.code));
        respond(refusal);
      },
    );
  };
}

/**
 * Answers a request whose message counts as held until then.
 *
 * @throws ProtocolError (503) when too much is held already
 */
export async function held(budget: BodyBudget, { length }: Buffer, answer: () => Promise<Buffer>): Promise<Buffer> {
  if (!budget.take(length)) throw new ProtocolError(503, OUT_OF_MEMORY, { "retry-after": "1" });
  try {
    return await answer();
  } finally {
    budget.give(length);
  }
}

/**
 * Runs one inference.
 *
 * @returns a `ModelInferResponse`
 * @throws ProtocolError that says what was wrong, and of which input or output
 * @throws Cancelled when the client left before the model ran
 */
export async function infer(service: Service, message: InferRequestMessage, call: InferCall): Promise<Buffer> {
  const model = service.catalog.get(message.model, message.version === "" ? undefined : message.version);
  call.record.model(model.name, model.version);
  const bytesElements = service.bytesElements.request();
  try {
    const { inputs, outputs, typed } = readInferRequest(message, model, bytesElements);
    const deadline = deadlineFor(service, message.timeoutUs, call.deadline);
    const { record, cancellation } = call;
    const executed = record.executed.bind(record);
    const results = await model.infer(inputs, { outputs, deadline, cancellation, executed });
    const marksFinal = call.streamed && message.marksFinal;
    return writeInferResponse(model, { id: message.id, outputs: results, typed, marksFinal });
  } finally {
    bytesElements.release();
  }
}

/** The earliest of the server's own limit, the request's `timeout` and the call's deadline, on `performance.now()`. */
function deadlineFor({ requestTimeoutMs }: Service, timeoutUs: number, callDeadline: number): number {
  let wait = requestTimeoutMs;
  if (timeoutUs > 0) wait = Math.min(wait, timeoutUs / 1000);
  if (callDeadline !== Number.POSITIVE_INFINITY) wait = Math.min(wait, callDeadline - Date.now());
  return performance.now() + wait;
}

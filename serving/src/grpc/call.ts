import type { handleUnaryCall, Metadata } from "@grpc/grpc-js";
import { Cancelled } from "../execution/cancellation.ts";
import { ProtocolError } from "../protocol/error.ts";
import type { Service } from "../service.ts";
import { codeName, type FailedStatus, failedStatus } from "./status.ts";

/** An answer from a request's bytes. */
export type Answer = (request: Buffer) => Buffer | Promise<Buffer>;

/** The first text of a metadata entry; those whose name ends in `-bin` are bytes and not read. */
export function headerOf(metadata: Metadata, name: string): string | undefined {
  const [value] = metadata.get(name);
  return typeof value === "string" ? value : undefined;
}

/** @throws ProtocolError (401) when the call carries no token that is accepted */
export function authorize(service: Service, metadata: Metadata): void {
  if (service.isAuthorized(headerOf(metadata, "authorization"))) return;
  throw new ProtocolError(401, NO_TOKEN);
}

/** Said to a call that carries no token that is accepted. */
export const NO_TOKEN = "a bearer token is needed: send metadata 'authorization: Bearer <token>'";

/** Milliseconds since 1970 until which the client waits; Infinity when it did not say. */
export function deadlineOf(call: { getDeadline(): Date | number }): number {
  return Number(call.getDeadline());
}

/** Logs why a call failed and gives what it is answered with. */
export function refuse(service: Service, method: string, error: unknown): FailedStatus {
  const failed = failedStatus(error);
  if (error instanceof Cancelled) return failed;
  const reason = error instanceof ProtocolError ? error.logged : failed.details;
  const fields = { method, code: codeName(failed.code), reason };
  if (!(error instanceof ProtocolError)) {
    service.log.error("request failed", {
      ...fields,
      stack: error instanceof Error ? String(error.stack) : String(error),
    });
  } else if (error.status >= 500) service.log.error("request failed", fields);
  else service.log.warn("request refused", fields);
  return failed;
}

/**
 * Answers one request with one message.
 *
 * @param access `open`: health, which is not asked for a token
 */
export function unary(
  service: Service,
  method: string,
  access: "open" | "authorized",
  answer: Answer,
): handleUnaryCall<Buffer, Buffer> {
  return (call, respond) => {
    const run = async (): Promise<Buffer> => {
      if (access === "authorized") authorize(service, call.metadata);
      return answer(call.request);
    };
    run().then(
      (response) => respond(null, response),
      (error: unknown) => respond(refuse(service, method, error)),
    );
  };
}

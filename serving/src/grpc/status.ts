import { Metadata, status } from "@grpc/grpc-js";
import { Cancelled } from "../execution/cancellation.ts";
import { ProtocolError } from "../protocol/error.ts";

/** How a call that failed is answered. */
export interface FailedStatus {
  readonly code: status;
  /** Well-formed text that fits into the headers that clients accept. */
  readonly details: string;
  readonly metadata: Metadata;
}

/** The gRPC code that stands for an HTTP status. */
const CODES: Readonly<Record<number, status>> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  409: status.ABORTED,
  413: status.RESOURCE_EXHAUSTED,
  429: status.RESOURCE_EXHAUSTED,
  500: status.INTERNAL,
  501: status.UNIMPLEMENTED,
  503: status.UNAVAILABLE,
  504: status.DEADLINE_EXCEEDED,
};

/**
 * Details travel percent-encoded in the trailers, up to nine bytes a character, and clients on gRPC's C core refuse trailers
 * above 8 KiB.
 */
const MAX_DETAILS = 800;

/** @param error a ProtocolError, Cancelled, or anything else: an internal error, whose message is not told */
export function failedStatus(error: unknown): FailedStatus {
  const metadata = new Metadata();
  if (error instanceof Cancelled) return { code: status.CANCELLED, details: "the client left", metadata };
  if (!(error instanceof ProtocolError)) return { code: status.INTERNAL, details: "internal error", metadata };
  const seconds = Number(error.headers["retry-after"]);
  // What Retry-After is to HTTP: https://github.com/grpc/proposal/blob/master/A6-client-retries.md#pushback
  if (seconds > 0) metadata.set("grpc-retry-pushback-ms", String(seconds * 1000));
  return { code: CODES[error.status] ?? status.INTERNAL, details: detailsOf(error.message), metadata };
}

/** The name of a code, for metrics and logs. */
export function codeName(code: status): string {
  return status[code];
}

/** Percent-encoding throws on half of a surrogate pair, which a cut can leave. */
function detailsOf(message: string): string {
  const cut = message.length > MAX_DETAILS ? `${message.slice(0, MAX_DETAILS)}…` : message;
  return cut.toWellFormed();
}

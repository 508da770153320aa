/**
 * What went wrong with a request, in the words its client reads. REST answers the status, gRPC the code that stands for it
 * (see `grpc/status.ts`).
 */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  /** HTTP status. */
  readonly status: number;
  /** Further headers of a REST answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** What the log says: the message, unless that quotes the request's data. */
  readonly logged: string;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}, logged = message) {
    super(message);
    this.status = status;
    this.headers = headers;
    this.logged = logged;
  }
}

/** The request itself is wrong (400). */
export function badRequest(message: string): ProtocolError {
  return new ProtocolError(400, message);
}

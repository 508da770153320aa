/** A request that cannot be answered as asked: becomes `{"error": message}` with this HTTP status. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  /** HTTP status, 4xx or 5xx. */
  readonly status: number;
  /** Further response headers, such as `Allow` or `Retry-After`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** The request itself is wrong (400). */
export function badRequest(message: string): ProtocolError {
  return new ProtocolError(400, message);
}

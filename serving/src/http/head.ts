import type { RequestHead } from "./exchange.ts";

const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const COLON = 0x3a;

/** RFC 9110, section 5.6.2: characters of a method and of a header's name. */
const TOKEN = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  TOKEN[character.charCodeAt(0)] = 1;
}

/** Headers that change how a message is framed or answered: for these there is Node's own parser. */
const UNUSUAL = new Set(["transfer-encoding", "expect", "upgrade", "content-encoding", "te", "trailer", "keep-alive"]);

/** The head of a usual request. */
export class UsualHead implements RequestHead {
  readonly method: "GET" | "POST";
  readonly target: string;
  /** Bytes of the body. */
  readonly contentLength: number;
  /** Where the body starts in the bytes that were parsed. */
  readonly end: number;
  readonly #headers: ReadonlyMap<string, string>;

  constructor(
    method: "GET" | "POST",
    target: string,
    headers: ReadonlyMap<string, string>,
    contentLength: number,
    end: number,
  ) {
    this.method = method;
    this.target = target;
    this.#headers = headers;
    this.contentLength = contentLength;
    this.end = end;
  }

  header(name: string): string | undefined {
    return this.#headers.get(name);
  }
}

/**
 * Parses the head of a request that is written as nearly all clients write it: HTTP/1.1, GET or POST, one Content-Length in
 * digits or none, no header twice, no folded line. It does not repair, guess or refuse: what is not exactly that is
 * "unusual", and is left to Node's parser with every byte of it. So two readings of one message cannot come about here.
 *
 * @returns "incomplete" when the head does not end in these bytes
 */
export function parseHead(bytes: Buffer): UsualHead | "incomplete" | "unusual" {
  const end = bytes.indexOf("\r\n\r\n", 0, "latin1");
  if (end === -1) return mayBeUsual(bytes) ? "incomplete" : "unusual";
  const method = methodOf(bytes);
  if (method === undefined) return "unusual";
  const start = method.length + 1;
  const targetEnd = endOfTarget(bytes, start);
  const line = targetEnd + HTTP_1_1.length;
  if (targetEnd === start || line > end + 2 || bytes.toString("latin1", targetEnd, line) !== HTTP_1_1) return "unusual";
  const headers = parseHeaders(bytes, line, end + 2);
  const contentLength = headers === undefined ? undefined : contentLengthOf(headers);
  if (headers === undefined || contentLength === undefined || !isUsual(headers)) return "unusual";
  if (method === "GET" && contentLength > 0) return "unusual";
  return new UsualHead(method, bytes.toString("latin1", start, targetEnd), headers, contentLength, end + 4);
}

const HTTP_1_1 = " HTTP/1.1\r\n";

const BEGINNINGS = ["GET /", "POST /"].map((text) => Buffer.from(text));

/** Whether more bytes can make this a usual head: whoever speaks another protocol is told at once. */
function mayBeUsual(bytes: Buffer): boolean {
  const begins = BEGINNINGS.some((beginning) => {
    const length = Math.min(beginning.length, bytes.length);
    return beginning.compare(bytes, 0, length, 0, length) === 0;
  });
  if (!begins) return false;
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) if (bytes[at - 1] !== CR) return false;
  return true;
}

function methodOf(bytes: Buffer): "GET" | "POST" | undefined {
  switch (bytes[0]) {
    case 0x50:
      return bytes[1] === 0x4f && bytes[2] === 0x53 && bytes[3] === 0x54 && bytes[4] === SPACE ? "POST" : undefined;
    case 0x47:
      return bytes[1] === 0x45 && bytes[2] === 0x54 && bytes[3] === SPACE ? "GET" : undefined;
    default:
      return undefined;
  }
}

/** A target in origin form: a slash, then visible ASCII characters. */
function endOfTarget(bytes: Buffer, start: number): number {
  if (bytes[start] !== 0x2f) return start;
  let index = start + 1;
  for (;;) {
    const byte = bytes[index] as number;
    if (!(byte > SPACE && byte < 0x7f)) return index;
    index++;
  }
}

/** The header lines from `start` to `end`; undefined when one is not usual. */
function parseHeaders(bytes: Buffer, start: number, end: number): Map<string, string> | undefined {
  const headers = new Map<string, string>();
  let at = start;
  while (at < end) {
    const nameStart = at;
    while (TOKEN[bytes[at] as number] === 1) at++;
    if (at === nameStart || bytes[at] !== COLON) return undefined;
    const name = bytes.toString("latin1", nameStart, at).toLowerCase();
    at++;
    while (bytes[at] === SPACE) at++;
    const valueStart = at;
    for (;;) {
      const byte = bytes[at] as number;
      // Visible ASCII and spaces: neither tabs, nor control characters, nor bytes that stand for different characters
      // in different encodings.
      if (byte < SPACE || byte >= 0x7f) break;
      at++;
    }
    if (bytes[at] !== CR || bytes[at + 1] !== LF || headers.has(name)) return undefined;
    let valueEnd = at;
    while (valueEnd > valueStart && bytes[valueEnd - 1] === SPACE) valueEnd--;
    headers.set(name, bytes.toString("latin1", valueStart, valueEnd));
    at += 2;
  }
  return headers;
}

function contentLengthOf(headers: ReadonlyMap<string, string>): number | undefined {
  const text = headers.get("content-length");
  if (text === undefined) return 0;
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function isUsual(headers: ReadonlyMap<string, string>): boolean {
  // A request without Host is refused, RFC 9112, section 3.2.
  if (!headers.has("host")) return false;
  for (const name of headers.keys()) if (UNUSUAL.has(name)) return false;
  const connection = headers.get("connection");
  return connection === undefined || connection.toLowerCase() === "keep-alive";
}

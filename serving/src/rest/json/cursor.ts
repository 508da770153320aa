import { badRequest, type ProtocolError } from "../../protocol/error.ts";

/** No request needs more: the rank of a tensor and a few levels around it. */
const MAX_DEPTH = 64;
/** Values that become JavaScript objects (parameters): as text they may be this long. */
const MAX_OBJECT_BYTES = 64 * 1024;

export const CHARACTER = {
  quote: 0x22,
  comma: 0x2c,
  minus: 0x2d,
  point: 0x2e,
  zero: 0x30,
  nine: 0x39,
  colon: 0x3a,
  openArray: 0x5b,
  backslash: 0x5c,
  closeArray: 0x5d,
  openObject: 0x7b,
  closeObject: 0x7d,
} as const;

/** Member names and tensor names come with each request: the last one of each length and ends is kept. */
const KEPT_LENGTH = 32;
const kept: string[] = new Array<string>(256).fill("");

function asciiText(bytes: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length === 0) return "";
  if (length > KEPT_LENGTH) return bytes.toString("latin1", start, end);
  const place = (length * 31 + (bytes[start] as number) * 7 + (bytes[end - 1] as number)) & 0xff;
  const candidate = kept[place] as string;
  if (candidate.length === length) {
    let index = 0;
    while (index < length && candidate.charCodeAt(index) === bytes[start + index]) index++;
    if (index === length) return candidate;
  }
  const text = bytes.toString("latin1", start, end);
  kept[place] = text;
  return text;
}

/** What a JSON value begins with says what it is. */
export type JsonKind = "an object" | "an array" | "a string" | "a number" | "a boolean" | "null";

/**
 * Reads JSON from bytes, a value at a time, without making objects of what it passes over: a tensor of a million elements
 * costs no more than its elements. Accepts what `JSON.parse` accepts (RFC 8259).
 *
 * Every method throws ProtocolError (400) with the place when the text is not JSON. Messages never quote the text, because
 * messages are logged.
 */
export class JsonCursor {
  readonly bytes: Buffer;
  /** Index of the next byte. */
  at = 0;
  #depth = 0;

  /** @param bytes UTF-8 */
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** Passes over white space; the byte after it, or undefined at the end. */
  peek(): number | undefined {
    const { bytes } = this;
    let byte = bytes[this.at];
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = bytes[++this.at];
    return byte;
  }

  /** What kind of value comes next. */
  kind(): JsonKind {
    switch (this.peek()) {
      case CHARACTER.openObject:
        return "an object";
      case CHARACTER.openArray:
        return "an array";
      case CHARACTER.quote:
        return "a string";
      case 0x74:
      case 0x66:
        return "a boolean";
      case 0x6e:
        return "null";
      default:
        return "a number";
    }
  }

  /** Reads an object; `read` is called with each key and has to read or skip its value. */
  object(read: (key: string) => void): void {
    this.#enter(CHARACTER.openObject);
    if (this.peek() === CHARACTER.closeObject) this.at++;
    else {
      for (;;) {
        if (this.peek() !== CHARACTER.quote) throw this.malformed();
        const key = this.string();
        if (this.peek() !== CHARACTER.colon) throw this.malformed();
        this.at++;
        read(key);
        const byte = this.peek();
        if (byte !== CHARACTER.comma && byte !== CHARACTER.closeObject) throw this.malformed();
        this.at++;
        if (byte === CHARACTER.closeObject) break;
      }
    }
    this.#depth--;
  }

  /** Reads an array; `read` is called for each element and has to read or skip it. */
  array(read: (index: number) => void): void {
    this.#enter(CHARACTER.openArray);
    if (this.peek() === CHARACTER.closeArray) this.at++;
    else {
      for (let index = 0; ; index++) {
        read(index);
        const byte = this.peek();
        if (byte !== CHARACTER.comma && byte !== CHARACTER.closeArray) throw this.malformed();
        this.at++;
        if (byte === CHARACTER.closeArray) break;
      }
    }
    this.#depth--;
  }

  /** Reads a string. */
  string(): string {
    if (this.peek() !== CHARACTER.quote) throw this.malformed();
    const { bytes } = this;
    const start = this.at + 1;
    let index = start;
    let high = 0;
    let escaped = false;
    for (;;) {
      const byte = bytes[index];
      if (byte === CHARACTER.quote) break;
      if (byte === undefined || byte < 0x20) throw this.malformed(index);
      if (byte === CHARACTER.backslash) {
        escaped = true;
        index++;
      }
      high |= byte;
      index++;
    }
    this.at = index + 1;
    if (escaped) return this.#parse(start - 1, index + 1) as string;
    return high < 0x80 ? asciiText(bytes, start, index) : bytes.toString("utf8", start, index);
  }

  /** Passes over a number; its place is from the position before to the one after. */
  skipNumber(): void {
    const { bytes } = this;
    this.peek();
    let index = this.at;
    if (bytes[index] === CHARACTER.minus) index++;
    if (bytes[index] === CHARACTER.zero) index++;
    else index = this.#digits(index);
    if (bytes[index] === CHARACTER.point) index = this.#digits(index + 1);
    const exponent = bytes[index];
    if (exponent === 0x65 || exponent === 0x45) {
      index++;
      if (bytes[index] === 0x2b || bytes[index] === CHARACTER.minus) index++;
      index = this.#digits(index);
    }
    this.at = index;
  }

  /** Reads `true` or `false`. */
  boolean(): boolean {
    const value = this.peek() === 0x74;
    this.literal(value ? "true" : "false");
    return value;
  }

  /** Reads exactly this word. */
  literal(word: string): void {
    for (let index = 0; index < word.length; index++) {
      if (this.bytes[this.at + index] !== word.charCodeAt(index)) throw this.malformed(this.at + index);
    }
    this.at += word.length;
  }

  /** Passes over any value, checking that it is JSON. */
  skip(): void {
    switch (this.kind()) {
      case "an object":
        this.object(() => this.skip());
        return;
      case "an array":
        this.array(() => this.skip());
        return;
      case "a string":
        this.string();
        return;
      case "a boolean":
        this.boolean();
        return;
      case "null":
        this.literal("null");
        return;
      case "a number":
        this.skipNumber();
    }
  }

  /**
   * Reads any value as JavaScript has it.
   *
   * @param what names it in the message when it is too long
   */
  value(what: string): unknown {
    this.peek();
    const start = this.at;
    this.skip();
    if (this.at - start > MAX_OBJECT_BYTES) throw badRequest(`${what} is longer than ${MAX_OBJECT_BYTES} bytes`);
    return this.#parse(start, this.at);
  }

  /** Nothing but white space may be left. */
  end(): void {
    if (this.peek() !== undefined) throw this.malformed();
  }

  malformed(index: number = this.at): ProtocolError {
    if (index >= this.bytes.length && this.bytes.toString("latin1").trim() === "") {
      return badRequest("the request body is empty");
    }
    return badRequest(`the request body is not valid JSON (at character ${index})`);
  }

  #digits(start: number): number {
    const { bytes } = this;
    let index = start;
    for (;;) {
      const byte = bytes[index];
      if (byte === undefined || byte < CHARACTER.zero || byte > CHARACTER.nine) break;
      index++;
    }
    if (index === start) throw this.malformed(index);
    return index;
  }

  #enter(open: number): void {
    if (this.peek() !== open) throw this.malformed();
    this.at++;
    if (++this.#depth > MAX_DEPTH) throw badRequest(`the request body is nested deeper than ${MAX_DEPTH} levels`);
  }

  /** For strings with escapes and small objects: what was checked here in outline, `JSON.parse` checks to the letter. */
  #parse(start: number, end: number): unknown {
    try {
      return JSON.parse(this.bytes.toString("utf8", start, end)) as unknown;
    } catch {
      throw this.malformed(start);
    }
  }
}

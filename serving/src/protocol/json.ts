import { isUtf8 } from "node:buffer";
import { badRequest } from "./error.ts";

/**
 * Parses a request body. Numbers become doubles, so whole numbers beyond 2^53 are rounded: see {@link parseExact}.
 * The message never quotes the body, because messages are logged.
 *
 * @throws ProtocolError (400) when the body is no JSON
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const position = error instanceof Error ? / at position (\d+)/.exec(error.message)?.[1] : undefined;
    const where = position === undefined ? "" : ` (at character ${position})`;
    throw badRequest(text.trim() === "" ? "the request body is empty" : `the request body is not valid JSON${where}`);
  }
}

/**
 * Parses a request body that holds whole numbers beyond 2^53: they become BigInt and lose no bit. Some ten times slower
 * than {@link parseJson}, so only used when a 64-bit tensor needs it.
 *
 * @throws SyntaxError when the body is no JSON: parse it with {@link parseJson} first
 */
export function parseExact(text: string): unknown {
  return JSON.parse(text, exactIntegers as (key: string, value: unknown) => unknown) as unknown;
}

function exactIntegers(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value) || context.source === undefined) return value;
  return /^-?\d+$/.test(context.source) ? BigInt(context.source) : value;
}

/** No request needs more: the rank of a tensor and a few levels around it. */
const MAX_DEPTH = 64;
/** An empty array is three bytes of JSON and 32 of memory, a level of nesting costs more. */
const MAX_CONTAINERS = 1_000_000;

/**
 * The text of a JSON body, once it is known that parsing it takes neither many times its size in memory nor a deep stack.
 *
 * @throws ProtocolError (400) when it is not UTF-8, nested too deeply, or holds too many arrays and objects
 */
export function decodeBody(body: Buffer): string {
  if (!isUtf8(body)) throw badRequest("the request body is not valid UTF-8");
  checkStructure(body);
  return body.toString("utf8");
}

function checkStructure(body: Buffer): void {
  let depth = 0;
  let containers = 0;
  for (let index = 0; index < body.length; index++) {
    switch (body[index]) {
      case QUOTE:
        index = endOfString(body, index);
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > MAX_DEPTH) throw badRequest(`the request body is nested deeper than ${MAX_DEPTH} levels`);
        if (++containers > MAX_CONTAINERS) {
          throw badRequest(`the request body holds more than ${MAX_CONTAINERS} arrays and objects: send data flat`);
        }
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
    }
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Where the string that begins at `start` ends. */
function endOfString(body: Buffer, start: number): number {
  let index = start + 1;
  for (; index < body.length && body[index] !== QUOTE; index++) if (body[index] === BACKSLASH) index++;
  return index;
}

/** Whether a value is a JSON object (no array, no null). */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A name from a request in quotes, cut to a length that suits a message and a log line. */
export function quote(name: string): string {
  return `'${name.length > 100 ? `${name.slice(0, 100)}…` : name}'`;
}

/** A value's kind in words, for messages. */
export function describe(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : typeof value === "bigint" ? "a number" : `a ${typeof value}`;
}

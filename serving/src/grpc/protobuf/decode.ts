import { badRequest } from "../../protocol/error.ts";
import { ProtobufReader } from "./reader.ts";
import type { FieldSchema, MessageSchema } from "./schema.ts";

/** A message's texts and truth values, with their defaults where it lacks them, and the keys of its maps. */
export type Decoded<S extends MessageSchema> = { readonly [K in keyof S["fields"]]: DecodedField<S["fields"][K]> };

type DecodedField<F extends FieldSchema> = F extends { readonly label: "map" }
  ? readonly string[]
  : F["type"] extends "string"
    ? string
    : F["type"] extends "bool"
      ? boolean
      : undefined;

/** Entries that a map of such a message may have. */
const MAX_ENTRIES = 1000;

/**
 * Reads a message as far as such requests need: texts, truth values, and the keys of maps. Anything else is passed over.
 *
 * @throws ProtocolError (400) when the bytes are no such message
 */
export function decode<S extends MessageSchema>({ fields }: S, bytes: Buffer): Decoded<S> {
  const result: Record<string, string | boolean | string[] | undefined> = {};
  for (const [key, field] of Object.entries(fields)) result[key] = defaultOf(field);
  const reader = new ProtobufReader(bytes);
  while (reader.next()) {
    const found = Object.entries(fields).find(([, { number }]) => number === reader.field);
    const key = found?.[0] ?? "";
    const held = result[key];
    if (typeof held === "string") result[key] = reader.text();
    else if (typeof held === "boolean") result[key] = reader.bool();
    else if (held !== undefined) addKey(held, reader);
    else reader.skip();
  }
  return result as Decoded<S>;
}

function defaultOf({ type, label }: FieldSchema): string | boolean | string[] | undefined {
  if (label === "map") return [];
  return label === "repeated" ? undefined : type === "string" ? "" : type === "bool" ? false : undefined;
}

function addKey(keys: string[], reader: ProtobufReader): void {
  if (keys.length >= MAX_ENTRIES) throw badRequest(`a map has more than ${MAX_ENTRIES} entries`);
  const outer = reader.enter();
  let key = "";
  while (reader.next()) {
    if (reader.field === 1) key = reader.text();
    else reader.skip();
  }
  reader.leave(outer);
  keys.push(key);
}

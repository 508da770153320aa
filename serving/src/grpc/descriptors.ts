import { FileDescriptor } from "./messages/reflection.ts";
import { encode } from "./protobuf/encode.ts";
import type { EnumSchema, FieldSchema, MessageSchema } from "./protobuf/schema.ts";
import type { ServiceSchema } from "./services.ts";

/** `FieldDescriptorProto.Type`. */
const TYPES = {
  double: 1,
  float: 2,
  int64: 3,
  uint64: 4,
  int32: 5,
  bool: 8,
  string: 9,
  message: 11,
  bytes: 12,
  uint32: 13,
  enum: 14,
} as const;
/** `FieldDescriptorProto.Label`. */
const LABELS = { optional: 1, repeated: 3 } as const;

/** What a service's `.proto` file says, as reflection sends it. */
export interface ServiceFile {
  readonly name: string;
  /** Full names of all that it declares. */
  readonly symbols: ReadonlySet<string>;
  /** A `FileDescriptorProto`. */
  readonly bytes: Buffer;
}

/** Describes a service and every message that its methods name. */
export function describeService({ package: prefix, name, methods }: ServiceSchema): ServiceFile {
  const types = new Map<string, MessageSchema | EnumSchema>();
  for (const { request, response } of Object.values(methods)) {
    collect(request, types);
    collect(response, types);
  }
  const absolute = (type: string) => `.${prefix}.${type}`;
  const topLevel = [...types.values()].filter((type) => !type.name.includes("."));
  const file = {
    name: `${prefix.replaceAll(".", "/")}/${name}.proto`,
    package: prefix,
    syntax: "proto3",
    message_type: topLevel.filter(isMessage).map((type) => describeMessage(type, types, absolute)),
    enum_type: topLevel.filter((type) => type.kind === "enum").map(describeEnum),
    service: [
      {
        name,
        method: Object.entries(methods).map(([method, { request, response, requestStream, responseStream }]) => ({
          name: method,
          input_type: absolute(request.name),
          output_type: absolute(response.name),
          client_streaming: requestStream ?? false,
          server_streaming: responseStream ?? false,
        })),
      },
    ],
  };
  const declared = [...types.keys(), name, ...Object.keys(methods).map((method) => `${name}.${method}`)];
  const symbols = new Set(declared.map((symbol) => `${prefix}.${symbol}`));
  return { name: file.name, symbols, bytes: encode(FileDescriptor, file) };
}

function collect(type: MessageSchema | EnumSchema, found: Map<string, MessageSchema | EnumSchema>): void {
  if (found.has(type.name)) return;
  found.set(type.name, type);
  if (type.kind === "enum") return;
  for (const field of Object.values(type.fields)) if (typeof field.type === "object") collect(field.type, found);
}

function isMessage(type: MessageSchema | EnumSchema): type is MessageSchema {
  return type.kind === "message";
}

function describeMessage(
  { name, fields }: MessageSchema,
  types: ReadonlyMap<string, MessageSchema | EnumSchema>,
  absolute: (type: string) => string,
): object {
  const inside = [...types.values()].filter((type) => type.name.slice(0, type.name.lastIndexOf(".")) === name);
  const entries = Object.entries(fields);
  const oneofs = [...new Set(entries.map(([, { oneof }]) => oneof).filter((oneof) => oneof !== undefined))];
  return {
    name: shortName(name),
    field: entries.map(([key, field]) => describeField(key, field, name, absolute)),
    nested_type: [
      ...inside.filter(isMessage).map((type) => describeMessage(type, types, absolute)),
      ...entries.filter(([, { label }]) => label === "map").map(([key, field]) => describeEntry(key, field, absolute)),
    ],
    enum_type: inside.filter((type) => type.kind === "enum").map(describeEnum),
    oneof_decl: oneofs.map((oneof) => ({ name: oneof })),
  };
}

/** A message has one oneof at most, so that its index is 0. */
function describeField(key: string, field: FieldSchema, owner: string, absolute: (type: string) => string): object {
  const isMap = field.label === "map";
  const base = {
    name: key,
    number: field.number,
    label: field.label === undefined ? LABELS.optional : LABELS.repeated,
  };
  if (isMap) return { ...base, type: TYPES.message, type_name: absolute(`${owner}.${entryName(key)}`) };
  const { type } = field;
  return {
    ...base,
    type: TYPES[typeof type === "string" ? type : type.kind],
    type_name: typeof type === "string" ? "" : absolute(type.name),
    ...(field.oneof !== undefined && { oneof_index: 0 }),
  };
}

/** A map is a list of entries, of a message that is declared for it. */
function describeEntry(key: string, { type }: FieldSchema, absolute: (type: string) => string): object {
  const fields: Readonly<Record<string, FieldSchema>> = {
    key: { number: 1, type: "string" },
    value: { number: 2, type },
  };
  return {
    name: entryName(key),
    field: Object.entries(fields).map(([name, field]) => describeField(name, field, "", absolute)),
    options: { map_entry: true },
  };
}

/** `model_name` → `ModelNameEntry`, as compilers of `.proto` files name it. */
function entryName(key: string): string {
  return `${key.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase())}Entry`;
}

function describeEnum({ name, values }: EnumSchema): object {
  return { name: shortName(name), value: values.map((value, number) => ({ name: value, number })) };
}

function shortName(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

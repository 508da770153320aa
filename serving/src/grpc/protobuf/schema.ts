/** Messages described by their fields: what is read and written rarely needs no code of its own. */

/** A number, a text or a truth value. */
export type ScalarType = "string" | "bool" | "int32" | "int64" | "uint32" | "uint64" | "double" | "float" | "bytes";

/** Names of an enum's values, each at its number. */
export interface EnumSchema {
  readonly kind: "enum";
  /** Full name without the package: `Outer.Inner` for one that is declared inside another message. */
  readonly name: string;
  readonly values: readonly string[];
}

export interface MessageSchema {
  readonly kind: "message";
  /** Full name without the package: `Outer.Inner` for one that is declared inside another message. */
  readonly name: string;
  readonly fields: Readonly<Record<string, FieldSchema>>;
}

export type FieldType = ScalarType | EnumSchema | MessageSchema;

export interface FieldSchema {
  readonly number: number;
  readonly type: FieldType;
  readonly label?: "repeated" | "map";
  /** Name of the `oneof` it belongs to. */
  readonly oneof?: string;
}

/** A message as the JSON mapping of protocol buffers has it: field names as they are declared. */
export type MessageValue = Readonly<Record<string, unknown>>;

export function message<F extends Readonly<Record<string, FieldSchema>>>(
  name: string,
  fields: F,
): MessageSchema & { readonly fields: F } {
  return { kind: "message", name, fields };
}

export function enumeration(name: string, values: readonly string[]): EnumSchema {
  return { kind: "enum", name, values };
}

export function one<T extends FieldType>(number: number, type: T): { readonly number: number; readonly type: T } {
  return { number, type };
}

export function many(number: number, type: FieldType): FieldSchema & { readonly label: "repeated" } {
  return { number, type, label: "repeated" };
}

/** `map<string, type>` */
export function map(number: number, type: FieldType): FieldSchema & { readonly label: "map" } {
  return { number, type, label: "map" };
}

/** A field of which at most one of its group is there. */
export function choice(oneof: string, number: number, type: FieldType): FieldSchema {
  return { number, type, oneof };
}

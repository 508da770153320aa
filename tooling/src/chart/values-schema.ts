import type { Schema } from "./strict-schema.ts";
import type { Value } from "./values.ts";

/** Helm gives every chart this key, and this chart's values do not use it. */
const ofHelm = "global";

/**
 * Where the values and their schema disagree, one sentence each; none when they are in step: the same keys in every group,
 * a key required unless it may be null, and no part of the schema takes keys that it does not name or give a type.
 */
export function compareSchema(values: readonly Value[], schema: Schema): string[] {
  const groups = [[] as readonly string[], ...values.filter(isGroup).map(({ path }) => path)];
  return [...groups.flatMap((group) => compareGroup(group, values, schema)), ...openParts(schema, "values")];
}

const isGroup = ({ fallback }: Value) => fallback === undefined;

function compareGroup(group: readonly string[], values: readonly Value[], schema: Schema): string[] {
  const part = group.reduce<Schema | undefined>((at, key) => at?.properties?.[key], schema);
  const have = values.filter(({ path }) => path.length === group.length + 1 && startsWith(path, group));
  const known = Object.keys(part?.properties ?? {}).filter((key) => group.length > 0 || key !== ofHelm);
  const keys = have.map(({ path }) => path.at(-1) ?? "");
  const name = (key: string) => [...group, key].join(".");
  // Helm takes a key away that somebody sets to null: only `required` sees that.
  const needed = have.filter(({ fallback }) => fallback !== "null").map(({ path }) => path.at(-1) ?? "");
  const required = (part?.required ?? []) as readonly string[];
  return [
    ...keys.filter((key) => !known.includes(key)).map((key) => `${name(key)} is in values.yaml, not in the schema`),
    ...known.filter((key) => !keys.includes(key)).map((key) => `${name(key)} is in the schema, not in values.yaml`),
    ...needed
      .filter((key) => known.includes(key) && !required.includes(key) && !isNullable(part?.properties?.[key]))
      .map((key) => `${name(key)} can be taken away by null: the schema does not require it`),
  ];
}

function isNullable({ type, enum: values }: Schema = {}): boolean {
  return (Array.isArray(type) && type.includes("null")) || (Array.isArray(values) && values.includes(null));
}

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.every((key, index) => path[index] === key);
}

function openParts(part: unknown, where: string): string[] {
  if (typeof part !== "object" || part === null) return [];
  const schema = part as Schema;
  const open = schema.properties !== undefined && typeof schema.properties === "object" && isObjectType(schema);
  const own =
    open && schema.additionalProperties === undefined ? [`${where} takes keys that the schema does not name`] : [];
  return [...own, ...Object.entries(schema).flatMap(([key, inner]) => openParts(inner, `${where}.${key}`))];
}

const isObjectType = ({ type }: Schema) => type === "object";

/** Values without a word on what they are: each group and each value that stands alone has a comment. */
export function findUndocumented(values: readonly Value[]): string[] {
  return values
    .filter(({ path, description }) => path.length === 1 && description === "")
    .map(({ path }) => `${path[0]} has no comment in values.yaml`);
}

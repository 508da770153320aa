/** A JSON Schema, or a part of one. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly [keyword: string]: unknown;
}

/** Schemas by file name: `GROUP_VERSION_KIND.json` in lower case, the group of Kubernetes' first kinds being `v1`. */
export type Schemas = ReadonlyMap<string, Schema>;

interface KindName {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** Kubernetes' description of its kinds, `swagger.json`. */
export interface OpenApi {
  readonly definitions: Readonly<
    Record<string, Schema & { readonly "x-kubernetes-group-version-kind"?: readonly KindName[] }>
  >;
}

export interface CustomResourceDefinition {
  readonly kind: string;
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }[];
  };
}

const fileName = ({ group, version, kind }: KindName) => `${group || version}_${version}_${kind}.json`.toLowerCase();

/** A quantity and a port are texts or numbers, whatever the description's one type says. */
const textOrNumber: Schema = { type: ["string", "number"] };
const eitherWay = ["io.k8s.apimachinery.pkg.api.resource.Quantity", "io.k8s.apimachinery.pkg.util.intstr.IntOrString"];

/**
 * A schema that refuses keys it does not name, which Kubernetes itself would drop without a word. An object whose keys are
 * free stays so.
 */
export function strict(schema: Schema): Schema {
  const free =
    schema["x-kubernetes-preserve-unknown-fields"] === true || schema["x-kubernetes-embedded-resource"] === true;
  if (schema["x-kubernetes-int-or-string"] === true) return textOrNumber;
  const inside = Object.entries(schema).map(([keyword, value]) => [keyword, strictPart(keyword, value)] as const);
  const closed = schema.properties && schema.additionalProperties === undefined && !free;
  return { ...Object.fromEntries(inside), ...(closed && { additionalProperties: false }) };
}

function strictPart(keyword: string, value: unknown): unknown {
  const isObject = typeof value === "object" && value !== null;
  if (keyword === "properties" && isObject)
    return Object.fromEntries(
      Object.entries(value as Record<string, Schema>).map(([name, part]) => [name, strict(part)]),
    );
  if ((keyword === "items" || keyword === "additionalProperties") && isObject) return strict(value as Schema);
  return value;
}

/** The schemas of all of Kubernetes' kinds, each complete in itself. */
export function fromOpenApi({ definitions }: OpenApi): Schemas {
  const parts = new Map(
    Object.entries(definitions).map(([name, part]) => [name, eitherWay.includes(name) ? textOrNumber : strict(part)]),
  );
  const schemas = new Map<string, Schema>();
  for (const [name, definition] of Object.entries(definitions))
    for (const kind of definition["x-kubernetes-group-version-kind"] ?? []) {
      const needed = reachable(name, parts);
      const own = parts.get(name);
      if (own) schemas.set(fileName(kind), { ...own, definitions: Object.fromEntries(needed) });
    }
  return schemas;
}

/** The parts that a part refers to, and those that these refer to. */
function reachable(start: string, parts: ReadonlyMap<string, Schema>): Map<string, Schema> {
  const found = new Map<string, Schema>();
  const waiting = [start];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const part = parts.get(name);
    if (!part || found.has(name)) continue;
    found.set(name, part);
    for (const [, next = ""] of JSON.stringify(part).matchAll(/"#\/definitions\/([^"]+)"/g)) waiting.push(next);
  }
  return found;
}

/** The schemas of a custom kind, one for each of its versions; none for a document that defines no kind. */
export function fromDefinition({ kind, spec }: CustomResourceDefinition): Schemas {
  if (kind !== "CustomResourceDefinition") return new Map();
  return new Map(
    spec.versions.map(({ name: version, schema }) => {
      const named = { group: spec.group, version, kind: spec.names.kind };
      const whole = schema.openAPIV3Schema;
      const everyKind = { apiVersion: { type: "string" }, kind: { type: "string" }, metadata: { type: "object" } };
      return [fileName(named), strict({ ...whole, properties: { ...whole.properties, ...everyKind } })] as const;
    }),
  );
}

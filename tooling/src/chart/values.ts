import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from "yaml";

/** A value of a chart, as `values.yaml` documents it. */
export interface Value {
  /** `image.digest` is ["image", "digest"]. */
  readonly path: readonly string[];
  /** The comment above it; empty without one. */
  readonly description: string;
  /** Its default in one line of JSON; undefined for a group of values. */
  readonly fallback: string | undefined;
}

/**
 * The values that a `values.yaml` documents, groups before what is in them. A map that is written in one line, or is empty,
 * is a value and no group.
 */
export function readValues(text: string): Value[] {
  const { contents } = parseDocument(text);
  if (!isMap(contents)) throw new Error("values.yaml holds no map");
  return valuesIn(contents, []);
}

function valuesIn(map: YAMLMap, parents: readonly string[]): Value[] {
  return map.items.flatMap((pair, index) => {
    const path = [...parents, String(isScalar(pair.key) ? pair.key.value : pair.key)];
    const value = pair.value;
    const description = commentAbove(pair, index === 0 ? map : undefined);
    if (isMap(value) && !value.flow && value.items.length > 0)
      return [{ path, description, fallback: undefined }, ...valuesIn(value, path)];
    const plain = isScalar(value) || value === null ? (value?.value ?? null) : (value as YAMLMap).toJSON();
    return [{ path, description, fallback: JSON.stringify(plain) }];
  });
}

/** The comment above a key. The one above the first key of a map is the map's. */
function commentAbove(pair: Pair, map: YAMLMap | undefined): string {
  const key = isScalar(pair.key) ? pair.key.commentBefore : undefined;
  return (key ?? map?.commentBefore ?? "").replace(/^ /gm, "").replaceAll("\n", " ").trim();
}

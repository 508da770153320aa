/** What a path asks for. */
export type Route =
  | { readonly kind: "server" | "live" | "ready" }
  | {
      readonly kind: "model" | "model-ready" | "infer";
      readonly model: string;
      /** Undefined: the default version. */
      readonly version: string | undefined;
    };

/** The methods that a route answers. */
export function methodsOf(route: Route): readonly string[] {
  return route.kind === "infer" ? ["POST"] : ["GET", "HEAD"];
}

/**
 * What the path of a request asks for; undefined when no route has it. A query string and a slash at the end change
 * nothing.
 */
export function matchRoute(target: string): Route | undefined {
  const path = target.split("?", 1)[0] ?? "";
  const [root, protocol, area, ...rest] = path.replace(/\/$/, "").split("/").map(decodeSegment);
  if (root !== "" || protocol !== "v2") return undefined;
  if (area === undefined) return { kind: "server" };
  if (area === "health" && rest.length === 1) {
    if (rest[0] === "live") return { kind: "live" };
    if (rest[0] === "ready") return { kind: "ready" };
  }
  return area === "models" ? matchModelRoute(rest) : undefined;
}

function matchModelRoute([model, ...rest]: readonly (string | undefined)[]): Route | undefined {
  if (model === undefined || model === "") return undefined;
  const [version, action, ...more] = rest[0] === "versions" ? rest.slice(1) : [undefined, ...rest];
  if (more.length > 0 || (rest[0] === "versions" && !version)) return undefined;
  switch (action) {
    case undefined:
      return { kind: "model", model, version };
    case "ready":
      return { kind: "model-ready", model, version };
    case "infer":
      return { kind: "infer", model, version };
    default:
      return undefined;
  }
}

/** A segment that is no valid percent encoding is taken as it stands: it names nothing. */
function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

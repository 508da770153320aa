/** What a path asks for. */
export type Route = InferRoute | TextRoute | ManagementRoute;

export interface InferRoute {
  readonly kind: "infer";
  readonly model: string;
  /** Undefined: the default version. */
  readonly version: string | undefined;
}

/** Answered by text that is not JSON. */
export interface TextRoute {
  readonly kind: "metrics" | "console";
}

/** Answered by a small JSON value. */
export type ManagementRoute =
  | { readonly kind: "server" | "live" | "ready" | "statistics" | "index" | "openapi" }
  | { readonly kind: "load" | "unload"; readonly model: string }
  | {
      readonly kind: "model" | "model-ready" | "config" | "model-statistics";
      readonly model: string;
      readonly version: string | undefined;
    };

const POSTED: ReadonlySet<Route["kind"]> = new Set(["infer", "index", "load", "unload"]);
/** Asked by probes, scrapers and people who have no token yet. */
const OPEN: ReadonlySet<Route["kind"]> = new Set(["live", "ready", "metrics", "openapi", "console"]);

/** The methods that a route answers. */
export function methodsOf(route: Route): readonly string[] {
  return POSTED.has(route.kind) ? ["POST"] : ["GET", "HEAD"];
}

/** Whether a route answers whoever asks, also where the server was given tokens. */
export function isOpen(route: Route): boolean {
  return OPEN.has(route.kind);
}

/** Paths come from clients: no more of them are remembered. */
const MAX_REMEMBERED = 1_000;
const remembered = new Map<string, Route>();

/**
 * What the path of a request asks for; undefined when no route has it. A query string and a slash at the end change
 * nothing.
 */
export function matchRoute(target: string): Route | undefined {
  const known = remembered.get(target);
  if (known !== undefined) return known;
  const route = parsePath(target.split("?", 1)[0] ?? "");
  if (route !== undefined) {
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    remembered.set(target, route);
  }
  return route;
}

function parsePath(path: string): Route | undefined {
  switch (path) {
    case "/":
      return { kind: "console" };
    case "/metrics":
      return { kind: "metrics" };
    case "/openapi.json":
      return { kind: "openapi" };
  }
  const [root, protocol, area, ...rest] = path.replace(/\/$/, "").split("/").map(decodeSegment);
  if (root !== "" || protocol !== "v2") return undefined;
  switch (area) {
    case undefined:
      return { kind: "server" };
    case "health":
      return rest.length === 1 && (rest[0] === "live" || rest[0] === "ready") ? { kind: rest[0] } : undefined;
    case "models":
      return rest.length === 1 && rest[0] === "stats" ? { kind: "statistics" } : matchModelRoute(rest);
    case "repository":
      return matchRepositoryRoute(rest);
    default:
      return undefined;
  }
}

const ACTIONS: Readonly<Record<string, "model-ready" | "infer" | "config" | "model-statistics">> = {
  ready: "model-ready",
  infer: "infer",
  config: "config",
  stats: "model-statistics",
};

function matchModelRoute([model, ...rest]: readonly (string | undefined)[]): Route | undefined {
  if (model === undefined || model === "") return undefined;
  const [version, action, ...more] = rest[0] === "versions" ? rest.slice(1) : [undefined, ...rest];
  if (more.length > 0 || (rest[0] === "versions" && !version)) return undefined;
  if (action === undefined) return { kind: "model", model, version };
  const kind = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  return kind === undefined ? undefined : { kind, model, version };
}

function matchRepositoryRoute(rest: readonly string[]): Route | undefined {
  const [area, model, action, ...more] = rest;
  if (area === "index" && model === undefined) return { kind: "index" };
  if (area !== "models" || !model || more.length > 0) return undefined;
  return action === "load" || action === "unload" ? { kind: action, model } : undefined;
}

/** A segment that is no valid percent encoding is taken as it stands: it names nothing. */
function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

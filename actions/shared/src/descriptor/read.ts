import { type Document, isMap, LineCounter, type Node, parseDocument } from "yaml";
import type * as z from "zod";
import { ActionError } from "../action-runtime/error.ts";
import { nearest } from "./nearest.ts";
import { type Descriptor, descriptorSchema } from "./schema.ts";

/**
 * Reads `model-pipeline.yaml`. Every problem is named with its line and column; an unknown key with the nearest known one.
 *
 * @param text the file's content
 * @param file the file's name, for the messages
 * @throws ActionError `DESCRIPTOR_INVALID`
 */
export function readDescriptor(text: string, file: string): Descriptor {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, strict: true, uniqueKeys: true });
  const at = (offset: number | undefined) => {
    const { line, col } = lineCounter.linePos(offset ?? 0);
    return `${file}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  };
  if (document.errors.length > 0)
    throw invalid(document.errors.map((error) => `${at(error.pos[0])}: not valid YAML: ${error.message}`));
  const value = expand(document, at);
  const parsed = descriptorSchema.safeParse(value ?? {});
  if (parsed.success) return checkWhole(parsed.data, (path) => at(offsetOf(document.contents, path)));
  throw invalid(parsed.error.issues.flatMap((issue) => describeIssue(issue, document.contents, at)));
}

/** The document as plain values. The limit on aliases guards against a small file that expands to gigabytes. */
function expand(document: Document, at: (offset: number | undefined) => string): unknown {
  try {
    return document.toJS({ maxAliasCount: 50 });
  } catch (error) {
    throw invalid([`${at(0)}: not usable: ${(error as Error).message}`]);
  }
}

function describeIssue(
  issue: z.core.$ZodIssue,
  root: Node | null,
  at: (offset: number | undefined) => string,
): string[] {
  const path = issue.path as (string | number)[];
  const where = path.length === 0 ? "" : `${path.join(".")}: `;
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(path);
    return issue.keys.map((key) => {
      const suggestion = nearest(key, known);
      const hint = suggestion ? `; did you mean '${suggestion}'?` : `; known here: ${known.join(", ")}`;
      return `${at(offsetOf(root, [...path, key], true))}: ${where}unknown key '${key}'${hint}`;
    });
  }
  const missing = issue.code === "invalid_type" && valueAt(root, path) === undefined;
  const message = missing ? "is required" : `${issue.message}, got ${JSON.stringify(valueAt(root, path)) ?? "nothing"}`;
  return [`${at(offsetOf(root, path))}: ${where}${message.slice(0, 300)}`];
}

/** Rules that span keys. */
function checkWhole(descriptor: Descriptor, at: (path: readonly (string | number)[]) => string): Descriptor {
  const problems: string[] = [];
  if (descriptor.train && !descriptor.mlflow)
    problems.push(
      `${at(["train"])}: train: needs 'mlflow', since the model goes from training to the build through it`,
    );
  const { staging, production } = descriptor.environments;
  if ((staging || production) && !descriptor.deploy)
    problems.push(`${at(["environments"])}: environments: needs 'deploy', which says what is deployed to them`);
  if (descriptor.test && !staging)
    problems.push(`${at(["test"])}: test: needs 'environments.staging', where the model is tested`);
  if (production && staging && production.namespace === staging.namespace)
    problems.push(`${at(["environments", "production"])}: environments.production: has the namespace of staging`);
  if (problems.length > 0) throw invalid(problems);
  return descriptor;
}

function invalid(problems: readonly string[]): ActionError {
  return new ActionError("DESCRIPTOR_INVALID", {
    message: problems.join("\n"),
    remedy: "correct the file; its JSON Schema (first line of the example) lets an editor complete and check it",
  });
}

/** Keys that the schema knows at a path. */
function knownKeys(path: readonly (string | number)[]): string[] {
  let schema: unknown = descriptorSchema;
  for (const step of path) schema = unwrap(schema)?.shape?.[step];
  return Object.keys(unwrap(schema)?.shape ?? {});
}

/** A schema without the optional, default and prefault around it. */
function unwrap(schema: unknown): { shape?: Record<string, unknown> } | undefined {
  let current = schema as { def?: { innerType?: unknown }; shape?: Record<string, unknown> } | undefined;
  while (current?.def?.innerType) current = current.def.innerType as typeof current;
  return current;
}

/** Offset of the node at a path, or of the nearest one above it; of the key rather than the value if `ofKey`. */
function offsetOf(root: Node | null, path: readonly (string | number)[], ofKey = false): number | undefined {
  let node: unknown = root;
  let offset = root?.range?.[0];
  for (const [depth, step] of path.entries()) {
    if (!isMap(node)) break;
    const pair = node.items.find((item) => String((item.key as { value?: unknown })?.value) === String(step));
    if (pair === undefined) break;
    const last = depth === path.length - 1;
    const target = (last && ofKey ? pair.key : (pair.value ?? pair.key)) as Node | null;
    offset = target?.range?.[0] ?? offset;
    node = pair.value;
  }
  return offset;
}

function valueAt(root: Node | null, path: readonly (string | number)[]): unknown {
  if (!isMap(root)) return undefined;
  const value: unknown = path.length === 0 ? root : root.getIn(path);
  return (value as { toJSON?: () => unknown })?.toJSON?.() ?? value;
}

import { explain, LabError } from "../../../lab/src/progress/error.ts";
import { runChild } from "../../../lab/src/progress/run-child.ts";
import { root } from "./repository.ts";

/** A tool ended with another exit code than 0; the message holds what it printed. */
export class ToolFailure extends Error {
  override readonly name = "ToolFailure";
}

/**
 * Runs a tool in the repository's top folder to its end; signals are passed on to it.
 *
 * @returns what it wrote to its standard output.
 * @throws ToolFailure with everything it printed, when it ends with another exit code than 0.
 */
export async function tool(command: string, args: readonly string[], signal?: AbortSignal): Promise<string> {
  const result = await runChild(command, args, { cwd: root, ...(signal && { signal }) });
  if (result.code === 0) return result.stdout;
  const printed = [result.stdout.trim(), result.stderr.trim()].filter((text) => text !== "").join("\n");
  throw new ToolFailure(printed === "" ? `${command} ended with exit code ${result.code}` : printed);
}

/** Runs `work` for every item, at most `limit` at a time, and resolves to the results in the items' order. */
export async function eachOf<T, R>(items: readonly T[], limit: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length);
  const waiting = items.entries();
  const worker = async () => {
    for (const [index, item] of waiting) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
}

/** A failure as text for a terminal: what a tool printed, or what went wrong and what to do. */
export function explainFailure(error: unknown): string {
  if (error instanceof LabError) return explain(error);
  return error instanceof Error ? error.message : String(error);
}

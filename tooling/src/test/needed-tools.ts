import { readFile } from "node:fs/promises";
import type {} from "vitest";
import { stepLogs } from "../../../lab/src/lab.ts";
import { Progress } from "../../../lab/src/progress/progress.ts";
import { TOOLS, type ToolName } from "../../../lab/src/toolchain/manifest.ts";
import { ensureToolchain, type PythonName } from "../../../lab/src/toolchain/toolchain.ts";

/** What a test that names tools gets by `inject("tools")`. */
export interface ProvidedTools {
  /** The interpreter of each Python environment, by the tool's name. */
  readonly python: Readonly<Record<string, string>>;
  /** The folder of each tool's files, by its name; what the system keeps has none. */
  readonly folder: Readonly<Record<string, string>>;
}

declare module "vitest" {
  export interface ProvidedContext {
    tools: ProvidedTools;
  }
}

/** Tools that tests have at hand: on their PATH, and by `inject("tools")`. */
export interface NeededTools {
  readonly provided: ProvidedTools;
  /** A folder with their programs, for the tests' PATH. */
  readonly bin: string;
}

const LINE = /^\/\/ needs: (.+)$/m;

/**
 * The tools that a test's file names, in a line such as `// needs: chromium, helm`.
 *
 * @throws Error when it names one that the toolchain does not know
 */
export function toolsNamedIn(path: string, text: string): ToolName[] {
  const names =
    LINE.exec(text)?.[1]
      ?.split(",")
      .map((name) => name.trim()) ?? [];
  for (const name of names) {
    if (Object.hasOwn(TOOLS, name)) continue;
    throw new Error(`${path} needs '${name}', which is none of the tools in lab/src/toolchain/manifest.ts`);
  }
  return names as ToolName[];
}

function isPython(name: ToolName): name is PythonName {
  return TOOLS[name].kind === "python";
}

/**
 * Sets up what the selected tests name; undefined when they name nothing.
 *
 * @throws LabError when a tool cannot be had
 */
export async function ensureNeededTools(
  paths: readonly string[],
  signal: AbortSignal,
): Promise<NeededTools | undefined> {
  const named = await Promise.all(paths.map(async (path) => toolsNamedIn(path, await readFile(path, "utf8"))));
  const names = [...new Set(named.flat())].sort();
  if (names.length === 0) return undefined;
  const toolchain = await ensureToolchain(names, new Progress({ logs: stepLogs("test"), signal }));
  const python = names.filter(isPython).map((name) => [name, toolchain.python(name)]);
  const kept = names.filter((name) => TOOLS[name].kind !== "system");
  const folders = kept.map((name) => [name, toolchain.folder(name)]);
  return {
    provided: { python: Object.fromEntries(python), folder: Object.fromEntries(folders) },
    bin: toolchain.bin,
  };
}

import { basename, posix } from "node:path";
import type { Check } from "./check.ts";
import { listFiles, readText } from "./sources.ts";

/** The longest file of our own code, in lines. */
const longest = 350;

const drawers = /^(utils?|helpers?|commons?|misc(ellaneous)?)$/i;

/** The room of this repository that a file belongs to: an action's folder, or the first folder of its path. */
export function roomOf(path: string): string {
  const [first = "", second = ""] = path.split("/");
  return first === "actions" ? `actions/${second}` : first;
}

/** What the code of a room may import, besides packages and itself. */
export function mayImport(from: string, to: string): boolean {
  if (from === to) return true;
  if (from.startsWith("actions/")) return to === "actions/shared";
  if (from === "pipeline") return to === "lab" || to === "tooling";
  // Tests only: a chart has no code of its own.
  if (from === "charts") return ["serving", "lab", "tooling"].includes(to);
  if (from === "tooling") return to === "lab" || to.startsWith("actions/");
  return false;
}

/** Paths that a TypeScript file imports relative to itself, from the top of the repository. */
export function relativeImports(path: string, text: string): string[] {
  const imports = text.matchAll(/(?:\bfrom|\bimport|\bimport\s*\()\s*["'](\.{1,2}\/[^"']+)["']/g);
  return [...imports].map(([, target = ""]) => posix.join(posix.dirname(path), target));
}

/** What is wrong with the place, name and size of one file, and with what it imports. */
export function judgeFile(path: string, text: string): string[] {
  const problems = relativeImports(path, text)
    .filter((target) => !mayImport(roomOf(path), roomOf(target)))
    .map((target) => `${path} imports ${target}: ${roomOf(path)} may not import ${roomOf(target)}`);
  const drawer = path.split("/").find((part) => drawers.test(basename(part).replace(/\..*$/, "")));
  if (drawer) problems.push(`${path}: '${drawer}' is a drawer; name the file after what it holds`);
  const lines = text.split("\n").length - 1;
  if (lines > longest) problems.push(`${path} has ${lines} lines; split it by what it does (at most ${longest})`);
  return problems;
}

/** Who may import whom, and no drawers. */
export const architectureCheck: Check = {
  name: "architecture",
  run: async () => {
    const paths = (await listFiles()).filter(
      (path) => /\.(ts|mjs)$/.test(path) && !/^(dist|node_modules)\//.test(path),
    );
    return (await Promise.all(paths.map(async (path) => judgeFile(path, await readText(path))))).flat();
  },
};

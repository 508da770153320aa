import { readFile } from "node:fs/promises";
import { inRepository } from "../repository/repository.ts";
import { tool } from "../repository/tool.ts";

/** Files of the repository that a commit could hold, which are still there: tracked, and not ignored. */
export async function listFiles(): Promise<string[]> {
  const tracked = await tool("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]);
  const deleted = new Set((await tool("git", ["ls-files", "-z", "--deleted"])).split("\0"));
  return tracked.split("\0").filter((path) => path !== "" && !deleted.has(path));
}

/** The text of a file of the repository. */
export function readText(path: string): Promise<string> {
  return readFile(inRepository(path), "utf8");
}

import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { inRepository, listActions, repositoryName } from "../repository/repository.ts";
import type { Check } from "./check.ts";
import { readText } from "./sources.ts";

const exampleFolder = "examples/model-repository/.github/workflows";

/** Every workflow file that GitHub reads: ours, and those of the example repository. */
export async function listWorkflows(): Promise<string[]> {
  const list = async (folder: string) =>
    (await readdir(inRepository(folder))).filter((name) => /\.ya?ml$/.test(name)).map((name) => `${folder}/${name}`);
  return [...(await list(".github/workflows")), ...(await list(exampleFolder))].sort();
}

/** References of a workflow to this repository (`uses: $/…`) that lead nowhere. */
export function danglingReferences(path: string, text: string, exists: (path: string) => boolean): string[] {
  const references = text.matchAll(/^\s*(?:- )?uses:\s*["']?(?:\$\/|\.\/)([^\s"'#]+)/gm);
  return [...references]
    .map(([, target = ""]) => target)
    .filter((target) => !exists(/\.ya?ml$/.test(target) ? target : `${target}/action.yml`))
    .map((target) => `${path} uses ${target}, which is not there`);
}

/** GitHub's own parser takes every workflow and `action.yml`, and what workflows pass to each other. */
export const parserCheck: Check = {
  name: "GitHub's workflow parser",
  run: async () => {
    const { parseActionManifest, parseWorkflowFile } = await import("./github-parser.ts");
    const problems: string[] = [];
    for (const path of await listWorkflows()) {
      const text = await readText(path);
      problems.push(...(await parseWorkflowFile(path, text, repositoryName, readText)));
      problems.push(...danglingReferences(path, text, (target) => existsSync(inRepository(target))));
    }
    for (const action of listActions()) {
      const path = `actions/${action}/action.yml`;
      problems.push(...parseActionManifest(path, await readText(path)));
    }
    return problems;
  },
};

import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";

/** The top folder of this repository. */
export const root = resolve(import.meta.dirname, "../../..");

/** The repository's name on GitHub, as its documentation writes it. */
export const repositoryName = "mlops-actions/mlops-actions";

/** A path in this repository, from parts relative to its top. */
export function inRepository(...parts: string[]): string {
  return join(root, ...parts);
}

/** Names of the actions: the folders of `actions/` that hold an `action.yml`, in alphabetical order. */
export function listActions(): string[] {
  return readdirSync(inRepository("actions"))
    .filter((name) => existsSync(inRepository("actions", name, "action.yml")))
    .sort();
}

/** File names of the pipelines as people write them, in alphabetical order. */
export function listReusableWorkflows(): string[] {
  return readdirSync(inRepository("reusable-workflows"))
    .filter((name) => name.endsWith(".yml"))
    .sort();
}

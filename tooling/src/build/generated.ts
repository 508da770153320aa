import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { withValues } from "../chart/readme.ts";
import { readValues } from "../chart/values.ts";
import { readActionFile } from "../contract/action-file.ts";
import { withContract } from "../contract/readme.ts";
import { renderAll } from "../render/files.ts";
import { inRepository, listActions } from "../repository/repository.ts";
import { renderDescriptorSchema, schemaFile } from "../schema/descriptor-schema.ts";

/** Text by path from the repository's top folder. */
export type Texts = ReadonlyMap<string, string>;

/** The workflows that GitHub reads. */
export async function generateWorkflows(): Promise<Texts> {
  const rendered = await renderAll({ form: "github" });
  return new Map([...rendered].map(([name, text]) => [`.github/workflows/${name}`, text]));
}

/** The JSON Schema of the descriptor. */
export function generateSchema(): Texts {
  return new Map([[schemaFile, renderDescriptorSchema()]]);
}

/** The READMEs of the actions, with their tables of inputs and outputs as `action.yml` has them. */
export async function generateReadmes(): Promise<Texts> {
  const readmes = listActions().map(async (action) => {
    const path = `actions/${action}/README.md`;
    if (!existsSync(inRepository(path))) throw new Error(`${path} is not there`);
    const contract = await readActionFile(action);
    return [path, withContract(await readFile(inRepository(path), "utf8"), contract, path)] as const;
  });
  return new Map(await Promise.all(readmes));
}

/** The README of the chart, with its values as `values.yaml` has them. */
export async function generateChartReadme(): Promise<Texts> {
  const folder = "charts/model-server";
  const [readme, values] = await Promise.all(
    ["README.md", "values.yaml"].map((name) => readFile(inRepository(folder, name), "utf8")),
  );
  const path = `${folder}/README.md`;
  return new Map([[path, withValues(readme ?? "", readValues(values ?? ""), path)]]);
}

/** Paths whose file is not what it should be. */
export async function findStale(texts: Texts): Promise<string[]> {
  const compared = [...texts].map(async ([path, text]) => {
    const file = inRepository(path);
    return existsSync(file) && (await readFile(file, "utf8")) === text ? [] : [path];
  });
  return (await Promise.all(compared)).flat();
}

/** Writes the files that are not what they should be. */
export async function writeStale(texts: Texts): Promise<string[]> {
  const stale = await findStale(texts);
  for (const path of stale) {
    await mkdir(dirname(inRepository(path)), { recursive: true });
    await writeFile(inRepository(path), texts.get(path) ?? "");
  }
  return stale;
}

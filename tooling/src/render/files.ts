import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inRepository, listReusableWorkflows } from "../repository/repository.ts";
import { type RenderTarget, renderWorkflow } from "./render.ts";

/** A target without the source, which differs from file to file. */
export type FormOfAll = {
  [K in RenderTarget["form"]]: Omit<Extract<RenderTarget, { form: K }>, "source">;
}[RenderTarget["form"]];

/** Every reusable workflow of this repository, rendered: text by file name. */
export async function renderAll(form: FormOfAll): Promise<Map<string, string>> {
  const rendered = new Map<string, string>();
  for (const name of listReusableWorkflows()) {
    const text = await readFile(inRepository("reusable-workflows", name), "utf8");
    rendered.set(name, renderWorkflow(text, { ...form, source: `reusable-workflows/${name}` } as RenderTarget));
  }
  return rendered;
}

/** Writes every reusable workflow, rendered, into a folder, which is made if it is not there. */
export async function writeRendered(form: FormOfAll, folder: string): Promise<string[]> {
  const rendered = await renderAll(form);
  await mkdir(folder, { recursive: true });
  for (const [name, text] of rendered) await writeFile(join(folder, name), text);
  return [...rendered.keys()];
}

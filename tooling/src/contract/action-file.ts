import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import * as z from "zod";
import { inRepository } from "../repository/repository.ts";

const inputSchema = z.strictObject({
  description: z.string().min(1),
  required: z.boolean().default(false),
  default: z.string().optional(),
  deprecationMessage: z.string().optional(),
});

/** `action.yml`, as far as an action of this repository may use it. */
const actionFileSchema = z.strictObject({
  name: z.string().min(1),
  description: z.string().min(1),
  author: z.string(),
  branding: z.strictObject({ icon: z.string(), color: z.string() }),
  inputs: z.record(z.string(), inputSchema).default({}),
  outputs: z.record(z.string(), z.strictObject({ description: z.string().min(1) })),
  runs: z.strictObject({ using: z.literal("node24"), main: z.string() }),
});

export type ActionFile = z.output<typeof actionFileSchema>;
export type ActionInput = z.output<typeof inputSchema>;

/**
 * Reads an `action.yml`.
 *
 * @throws Error that names every key that is wrong.
 */
export function parseActionFile(text: string, action: string): ActionFile {
  const read = actionFileSchema.safeParse(parse(text));
  if (!read.success) throw new Error(`actions/${action}/action.yml:\n${z.prettifyError(read.error)}`);
  const main = `../../dist/${action}/index.js`;
  if (read.data.runs.main !== main) throw new Error(`actions/${action}/action.yml: runs.main is not ${main}`);
  return read.data;
}

/** The contract of one action of this repository. */
export async function readActionFile(action: string): Promise<ActionFile> {
  return parseActionFile(await readFile(inRepository("actions", action, "action.yml"), "utf8"), action);
}

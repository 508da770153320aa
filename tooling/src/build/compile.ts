import { rm } from "node:fs/promises";
import { inRepository } from "../repository/repository.ts";
import { tool } from "../repository/tool.ts";

/** The folder that holds the actions as JavaScript, and bundles made before. Not committed. */
export const buildFolder = inRepository(".build");

/**
 * Compiles the actions' TypeScript, with a check of its types, to `.build/actions/`.
 *
 * @throws ToolFailure with the compiler's messages.
 */
export async function compile(): Promise<void> {
  await rm(inRepository(".build", "actions"), { recursive: true, force: true });
  await tool("tsc", ["-p", "tsconfig.build.json"]);
}

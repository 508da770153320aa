import { spawnSync } from "node:child_process";

/**
 * Runs an ES module in a Node process of its own, as what it does to its process would touch other tests.
 *
 * @param environment in place of this process's
 */
export function runModule(
  program: string,
  environment = process.env,
): { readonly stdout: string; readonly stderr: string } {
  const args = ["--input-type=module", "--eval", program];
  return spawnSync(process.execPath, args, { encoding: "utf8", env: environment });
}

/** The address of a module of the server, for the program of such a process, as a string literal. */
export function addressOf(module: string): string {
  return JSON.stringify(new URL(`../src/${module}`, import.meta.url).href);
}

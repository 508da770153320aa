import { execFileSync, type StdioOptions } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { applyEdit, type Breakage, breakagePlans } from "./breakage.ts";

/** The output is read; messages go to the terminal. */
const quiet: { encoding: "utf8"; stdio: StdioOptions } = { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] };

export interface ModelRepository {
  readonly folder: string;
  /** Commit that the workflow runs on. */
  readonly commit: string;
}

/**
 * A Git repository with the example's files, and with one realistic mistake if asked for. Made anew each time: nothing of
 * an earlier run, broken or killed, is left in it.
 */
export function makeModelRepository(example: string, folder: string, breakage?: Breakage): ModelRepository {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const ignored = /(^|\/)(__pycache__|\.ipynb_checkpoints|mlruns|model|vendor)(\/|$)/;
  cpSync(example, folder, { recursive: true, filter: (source) => !ignored.test(source.slice(example.length)) });
  git(folder, ["init", "--quiet", "--initial-branch=main"]);
  // Nothing contacts it; the workflow runner reads the repository's name from it.
  git(folder, ["remote", "add", "origin", "https://github.com/acme/digits"]);
  commit(folder, "feat: digits model");
  if (breakage !== undefined) {
    breakRepository(folder, breakage);
    commit(folder, breakagePlans[breakage].commitMessage);
  }
  return { folder, commit: git(folder, ["rev-parse", "HEAD"]) };
}

function breakRepository(folder: string, breakage: Breakage): void {
  const { edits, vendored } = breakagePlans[breakage];
  for (const edit of edits) {
    const path = join(folder, edit.file);
    writeFileSync(path, applyEdit(readFileSync(path, "utf8"), edit));
  }
  if (vendored !== undefined) vendorPackage(join(folder, "vendor", "node_modules"), vendored);
}

/** The package's own published files. */
function vendorPackage(folder: string, specifier: string): void {
  const name = specifier.slice(0, specifier.lastIndexOf("@"));
  const target = join(folder, name);
  mkdirSync(target, { recursive: true });
  const options = { ...quiet, cwd: folder };
  const [packed] = JSON.parse(execFileSync("npm", ["pack", "--json", "--loglevel=error", specifier], options)) as [
    { filename: string },
  ];
  execFileSync("tar", ["-xzf", packed.filename, "-C", target, "--strip-components=1"], options);
  rmSync(join(folder, packed.filename));
}

function commit(folder: string, message: string): void {
  git(folder, ["add", "--all", "--force"]);
  const author = ["-c", "user.name=Ada Example", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"];
  git(folder, [...author, "commit", "--quiet", "--no-verify", "--message", message]);
}

function git(folder: string, args: readonly string[]): string {
  return execFileSync("git", args, { cwd: folder, ...quiet }).trim();
}

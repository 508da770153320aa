import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";

const actions = resolve(import.meta.dirname, "../../..");
const names = readdirSync(actions, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "node_modules")
  .map(({ name }) => name);

/** Text of every TypeScript file below an action's `src`. */
function sources(action: string): string {
  const folder = join(actions, action, "src");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  return files.map((file) => readFileSync(join(folder, file), "utf8")).join("\n");
}

const thrown = (text: string) => [...text.matchAll(/new ActionError\(\s*"([A-Z_]+)"/g)].map(([, code]) => code ?? "");
const documented = (text: string) => new Set([...text.matchAll(/`([A-Z][A-Z_]+)`/g)].map(([, code]) => code ?? ""));
const common = documented(readFileSync(join(actions, "..", "docs", "errors.md"), "utf8"));

it.each(names)("every error code that %s throws is documented", (name) => {
  const own = name === "shared" ? common : documented(readFileSync(join(actions, name, "README.md"), "utf8"));
  const codes = thrown(sources(name));
  expect(codes.filter((code) => !common.has(code) && !own.has(code))).toEqual([]);
});

it("knows codes to check at all", () => {
  expect(names.flatMap((name) => thrown(sources(name))).length).toBeGreaterThan(30);
});

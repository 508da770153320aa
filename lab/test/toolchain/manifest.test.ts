import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { requiredGo } from "../../src/toolchain/go.ts";
import { executablesOf, TOOLS, type Tool, type ToolName, toolOf } from "../../src/toolchain/manifest.ts";
import { requirementsFile } from "../../src/toolchain/python.ts";

const GO = resolve(import.meta.dirname, "../../go");
const tools = (Object.keys(TOOLS) as ToolName[]).map((name) => [name, toolOf(name)] as const);
const of = <Kind extends Tool["kind"]>(kind: Kind) =>
  tools.filter(([, tool]) => tool.kind === kind) as unknown as [string, Extract<Tool, { kind: Kind }>][];

test.each(of("go"))("%s: the manifest, go.mod and go.sum name the same version", (_, tool) => {
  expect(requiredGo(tool)).toMatch(/^1\.\d+/);
  if (tool.module === undefined) return;
  expect(readFileSync(join(GO, tool.folder, "go.mod"), "utf8")).toMatch(
    new RegExp(`^(require)?\\s+${tool.module} v${tool.version}$`, "m"),
  );
  expect(readFileSync(join(GO, tool.folder, "go.sum"), "utf8")).toContain(`${tool.module} v${tool.version} h1:`);
});

test("every folder of Go sources belongs to a tool", () => {
  expect(
    of("go")
      .map(([, tool]) => tool.folder)
      .sort(),
  ).toEqual(readdirSync(GO).sort());
});

test.each(of("python"))("%s: every package is pinned by version and hash", (_, tool) => {
  const lines = readFileSync(requirementsFile(tool.requirements), "utf8").replaceAll("\\\n", " ").split("\n");
  const packages = lines.filter((line) => line.trim() !== "" && !line.startsWith("#"));
  expect(packages.some((line) => line.includes(`==${tool.version} `))).toBe(true);
  for (const line of packages) expect(line).toMatch(/^\S+==\S+ .*--hash=sha256:[0-9a-f]{64}/);
});

test.each(of("npm"))("%s: pinned by a SHA-512", (_, tool) => {
  expect(tool.integrity).toMatch(/^sha512-[A-Za-z0-9+/]{86}==$/);
});

test("no two tools bring a program of the same name", () => {
  const programs = tools.flatMap(([, tool]) => executablesOf(tool));
  expect(programs.filter((name, index) => programs.indexOf(name) !== index)).toEqual([]);
});

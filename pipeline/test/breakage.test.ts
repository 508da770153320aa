import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { applyEdit, breakages } from "../src/breakage.ts";
import { makeModelRepository } from "../src/model-repository.ts";

const example = join(import.meta.dirname, "../../examples/model-repository");
const folder = mkdtempSync(join(tmpdir(), "model-repository-"));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (file: string) => readFileSync(join(folder, file), "utf8");

describe("makeModelRepository", () => {
  it("is a clean Git repository on main with the example's files", () => {
    const { commit } = makeModelRepository(example, folder);
    expect(commit).toMatch(/^[0-9a-f]{40}$/);
    expect(read(".git/HEAD").trim()).toBe("ref: refs/heads/main");
    expect(read("model-pipeline.yaml")).toBe(readFileSync(join(example, "model-pipeline.yaml"), "utf8"));
  });

  it.each(breakages)("changes only what the breakage %s names, and leaves the example alone", (breakage) => {
    const before =
      readFileSync(join(example, "Dockerfile"), "utf8") + readFileSync(join(example, "train.ipynb"), "utf8");
    makeModelRepository(example, folder, breakage);
    const after =
      readFileSync(join(example, "Dockerfile"), "utf8") + readFileSync(join(example, "train.ipynb"), "utf8");
    expect(after).toBe(before);
    expect(read("Dockerfile") + read("train.ipynb")).not.toBe(before);
  });

  it("leaves nothing of an earlier breakage behind", () => {
    makeModelRepository(example, folder, "dependency");
    expect(existsSync(join(folder, "vendor/node_modules/minimist/package.json"))).toBe(true);
    makeModelRepository(example, folder);
    expect(existsSync(join(folder, "vendor"))).toBe(false);
  });

  it("keeps the broken notebook valid", () => {
    makeModelRepository(example, folder, "model");
    expect(JSON.parse(read("train.ipynb")).cells.length).toBeGreaterThan(2);
  });
});

describe("applyEdit", () => {
  it("refuses an edit whose place is gone or not the only one", () => {
    const edit = { file: "f", find: "x", replacement: "y" };
    expect(() => applyEdit("abc", edit)).toThrow(expect.objectContaining({ code: "BREAKAGE_STALE" }));
    expect(() => applyEdit("x x", edit)).toThrow(/2 times/);
    expect(applyEdit("axb", edit)).toBe("ayb");
  });
});

import { describe, expect, it } from "vitest";
import { judgeFile, mayImport, relativeImports } from "../../src/check/architecture.ts";

describe("mayImport", () => {
  it.each([
    ["actions/plan", "actions/shared"],
    ["actions/plan", "actions/plan"],
    ["tooling", "actions/plan"],
    ["tooling", "lab"],
    ["pipeline", "lab"],
    ["charts", "serving"],
  ])("lets %s import %s", (from, to) => expect(mayImport(from, to)).toBe(true));

  it.each([
    ["actions/plan", "actions/promote"],
    ["actions/shared", "actions/plan"],
    ["actions/plan", "serving"],
    ["actions/plan", "lab"],
    ["serving", "actions/shared"],
    ["serving", "charts"],
    ["charts", "actions/shared"],
    ["lab", "actions/shared"],
    ["lab", "pipeline"],
    ["pipeline", "actions/shared"],
  ])("does not let %s import %s", (from, to) => expect(mayImport(from, to)).toBe(false));
});

describe("relativeImports", () => {
  it("finds every form of an import, over several lines too", () => {
    const text = `import type { A } from "../a.ts";
import "./b.ts";
import {
  c,
} from '../../c/src/c.ts';
export * from "./d.ts";
const e = await import("./e.ts");
import { readFile } from "node:fs";
`;
    expect(relativeImports("tooling/src/x/main.ts", text)).toEqual([
      "tooling/src/a.ts",
      "tooling/src/x/b.ts",
      "tooling/c/src/c.ts",
      "tooling/src/x/d.ts",
      "tooling/src/x/e.ts",
    ]);
  });
});

describe("judgeFile", () => {
  it("names file, import and rule", () => {
    const text = 'import { promote } from "../../promote/src/promote.ts";\n';
    expect(judgeFile("actions/plan/src/plan.ts", text)).toEqual([
      "actions/plan/src/plan.ts imports actions/promote/src/promote.ts: actions/plan may not import actions/promote",
    ]);
  });

  it.each(["lab/src/utils.ts", "lab/src/helpers/x.ts", "serving/src/common.test.ts", "tooling/src/Misc/a.ts"])(
    "calls %s a drawer",
    (path) => expect(judgeFile(path, "")).toHaveLength(1),
  );

  it("finds a file that is too long", () => {
    expect(judgeFile("lab/src/x.ts", "\n".repeat(400))).toEqual([expect.stringContaining("has 400 lines")]);
  });
});

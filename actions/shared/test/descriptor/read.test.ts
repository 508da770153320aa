import { describe, expect, it } from "vitest";
import { ActionError } from "../../src/action-runtime/error.ts";
import { readDescriptor } from "../../src/descriptor/read.ts";

const head = "apiVersion: mlops-actions/v1\nname: digits\nimage:\n  repository: digits\n";

function problemsOf(text: string): string {
  try {
    readDescriptor(text, "model-pipeline.yaml");
  } catch (error) {
    if (error instanceof ActionError && error.code === "DESCRIPTOR_INVALID") return error.message;
    throw error;
  }
  return "none";
}

describe("readDescriptor", () => {
  it("fills in the defaults", () => {
    const { image, promotion, environments } = readDescriptor(head, "f");
    expect(image).toMatchObject({ context: ".", dockerfile: "Dockerfile", scan: { failOn: "critical", ignore: [] } });
    expect(promotion).toEqual({ require: ["build-scan", "helm-deploy", "integration-test"], alias: "champion" });
    expect(environments).toEqual({});
  });

  it("names line, column and the nearest key of an unknown one", () => {
    expect(problemsOf(`${head}  scann:\n    failOn: high\n`)).toBe(
      "model-pipeline.yaml:5:3: image: unknown key 'scann'; did you mean 'scan'?",
    );
  });

  it("lists the known keys when none is near", () => {
    expect(problemsOf(`${head}deploy:\n  xyzzy: 1\n`)).toMatch(
      /^model-pipeline\.yaml:6:3: deploy: unknown key 'xyzzy'; known here: chart, chartVersion, release/,
    );
  });

  it("names line, column and value of a wrong value", () => {
    expect(problemsOf(`${head}  scan:\n    failOn: severe\n`)).toMatch(
      /^model-pipeline\.yaml:6:13: image\.scan\.failOn: .*got "severe"$/,
    );
  });

  it("says which key is required", () => {
    expect(problemsOf("apiVersion: mlops-actions/v1\nname: digits\nimage: {}\n")).toBe(
      "model-pipeline.yaml:3:8: image.repository: is required",
    );
  });

  it("reports every problem, not only the first", () => {
    expect(problemsOf("name: Digits\nimage: {}\n").split("\n")).toHaveLength(3);
  });

  it.each(["/etc/passwd", "../other/train.ipynb", "a/../../b"])(
    "refuses the path %s outside the repository",
    (path) => {
      expect(problemsOf(`${head}mlflow: {}\ntrain:\n  notebook: ${path}\n`)).toContain(
        "expected a path inside the repository",
      );
    },
  );

  it("refuses YAML that is broken, twice the same key, and a bomb of aliases", () => {
    expect(problemsOf("name: [")).toMatch(/^model-pipeline\.yaml:\d+:\d+: not valid YAML/);
    expect(problemsOf("name: a\nname: b\n")).toMatch(/^model-pipeline\.yaml:2:1: not valid YAML/);
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghi".replace(/./g, (c) => `${c}: &${c} [${`*${String.fromCharCode(c.charCodeAt(0) - 1)},`.repeat(9)}]\n`)}`;
    expect(problemsOf(bomb)).toMatch(/alias/i);
  });

  it("says what an empty file lacks", () => {
    expect(problemsOf("")).toContain("name: is required");
  });

  it("wants mlflow beside train, and staging beside test", () => {
    expect(problemsOf(`${head}train: { notebook: a.ipynb }\n`)).toMatch(/:5:\d+: train: needs 'mlflow'/);
    expect(problemsOf(`${head}test: {}\n`)).toMatch(/:5:\d+: test: needs 'environments\.staging'/);
  });
});

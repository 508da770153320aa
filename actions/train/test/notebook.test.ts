import { describe, expect, it } from "vitest";
import { cellLabels, findFailure, readNotebook } from "../src/notebook.ts";
import { PapermillOutput } from "../src/papermill-output.ts";

const code = (source: string, more: object = {}) => ({ cell_type: "code", source, ...more });
const text = { cell_type: "markdown", source: "# Title" };
const tagged = (tag: string) => ({ metadata: { tags: [tag] } });

describe("the name of a cell", () => {
  it("counts code cells alone and shows the first line that says something", () => {
    const cells = [text, code("# why\n\nimport numpy\nx = 1"), text, code(["y = 2\n", "z"] as unknown as string)];
    expect(cellLabels({ cells }, false)).toEqual([
      undefined,
      "code cell 1 of 2: import numpy",
      undefined,
      "code cell 2 of 2: y = 2",
    ]);
  });

  it("leaves room for the parameters where papermill puts them", () => {
    const cells = [text, code("seed = 1", tagged("parameters")), code("go()")];
    expect(cellLabels({ cells }, true)[2]).toBe("the parameters");
    expect(cellLabels({ cells: [text, code("go()")] }, true)[0]).toBe("the parameters");
    const again = [
      code("seed = 1", tagged("parameters")),
      code("seed = 7", tagged("injected-parameters")),
      code("go()"),
    ];
    expect(cellLabels({ cells: again }, true)).toEqual([
      "code cell 1 of 2: seed = 1",
      "the parameters",
      "code cell 2 of 2: go()",
    ]);
  });
});

describe("the failure of an executed notebook", () => {
  const error = {
    output_type: "error",
    ename: "ValueError",
    evalue: "\u001b[31mbad\u001b[0m",
    traceback: ["a\n\u001b[0;31mb\u001b[0m", "", "c"],
  };
  const failed = { metadata: { papermill: { exception: true } }, outputs: [error] };

  it("is the cell in which papermill stopped, counted without the parameters that it put in", () => {
    const cells = [
      code("seed", tagged("parameters")),
      code("seed = 7", tagged("injected-parameters")),
      text,
      code("# c\nf()", failed),
    ];
    expect(findFailure({ cells })).toEqual({
      cell: 2,
      source: ["f()"],
      exception: "ValueError: bad",
      traceback: ["a", "b", "c"],
    });
  });

  it("is not an exception that the notebook was allowed to raise", () => {
    expect(
      findFailure({ cells: [code("f()", { outputs: [error], metadata: { papermill: { exception: false } } })] }),
    ).toBeUndefined();
  });
});

it("reads no notebook from JSON of another form", () => {
  for (const other of ["", "null", "[]", "{}", '{"cells": 1}']) expect(readNotebook(other)).toBeUndefined();
});

describe("papermill's output", () => {
  const read = (...lines: string[]) => {
    const output = new PapermillOutput();
    return lines.flatMap((line) => output.read(line)).map((line) => (line.kind === "cell" ? line.place : line.text));
  };

  it("is cells that begin and lines of the notebook", () => {
    expect(read("Executing Cell 12------------", "loss 0.1", "", "Ending Cell 12------------")).toEqual([
      12,
      "loss 0.1",
    ]);
  });

  it("loses papermill's own stack, and keeps a traceback of the notebook", () => {
    const own = [
      "Traceback (most recent call last):",
      '  File "<frozen runpy>", line 198',
      "    x",
      "papermill.exceptions.E: y",
    ];
    expect(read(...own)).toEqual(["papermill.exceptions.E: y"]);
    const theirs = ["Traceback (most recent call last):", '  File "train.py", line 1', "ValueError"];
    expect(read(...theirs)).toEqual(theirs);
  });
});

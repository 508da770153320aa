import { describe, expect, it } from "vitest";
import { Log, neutralise } from "../../src/action-runtime/log.ts";
import { Redactor } from "../../src/action-runtime/redaction.ts";

/** What actions/runner takes as a command: `::` first in the line, trimmed as .NET trims (U+0085 too), or `##[` anywhere. */
const isCommand = (line: string) => /^[\s\u0085]*::\w/.test(line) || line.includes("##[");

describe("neutralise", () => {
  it.each([
    "::add-mask::x",
    "   ::set-output name=a::b",
    "before ##[error]x",
    "::::warning::x",
    "\u001b[0m::add-mask::x",
    ":\u0000:add-mask::x",
    "##\u0000[group]x",
    "\u0085::stop-commands::t",
    "\u001b[\u001b[0m0m::add-mask::x",
  ])("makes %j harmless", (line) => {
    expect(isCommand(neutralise(line))).toBe(false);
  });

  it("takes out colours and control characters, and keeps tabs", () => {
    expect(neutralise("\u001b[31mred\u001b[0m\tand\u0007 \rback")).toBe("red\tand back");
  });

  it("leaves ordinary text alone", () => {
    expect(neutralise("http://x::y a: b :: c")).toBe("http://x::y a: b :: c");
  });
});

describe("Log", () => {
  it("neutralises and redacts each line of a tool's output", () => {
    const written: string[] = [];
    const redactor = new Redactor(() => undefined);
    redactor.add("hunter2-secret");
    new Log(redactor, (line) => written.push(line)).line("ok\n::error::hunter2-secret");
    expect(written.join("\n")).not.toContain("hunter2-secret");
    expect(written.some(isCommand)).toBe(false);
  });

  it("cannot be led out of an annotation", () => {
    const written: string[] = [];
    new Log(new Redactor(() => undefined), (line) => written.push(line)).annotate(
      "error",
      "a,b::c",
      "x\n::warning::y 100%",
    );
    expect(written).toEqual(["::error title=a%2Cb%3A%3Ac::x%0A::warning::y 100%25"]);
  });
});

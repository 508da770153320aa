import { describe, expect, it } from "vitest";
import { details, escapeMarkdown, limitSummary, monospace, table } from "../../src/report/markdown.ts";

describe("markdown", () => {
  it("takes away every way in which a name could become markup", () => {
    const hostile = "<img src=x> [a](http://evil) ![i](y) @team `c` | # **b** <!-- x";
    const escaped = escapeMarkdown(hostile);
    expect(escaped).not.toMatch(/<|(?<!\\)[[\]()!`|*#]|@team|http:/);
  });

  it("keeps a hostile cell inside its cell", () => {
    const [, , row] = table(["a", "b"], [["x | y\n| z |", monospace("p|q`\n</code>")]]).split("\n");
    expect(row?.match(/(?<!\\)\|/g)).toHaveLength(3);
    expect(row).not.toContain("</code></code>");
  });

  it("shows the end of a long log", () => {
    expect(details("log", `${"a".repeat(50)}END`, 10)).toContain("…\naaaaaaaEND");
  });

  it("cuts a summary above the limit at a line and says so", () => {
    const cut = limitSummary("0123456789\n".repeat(200), 1_000);
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(1_000);
    expect(cut).toContain("above GitHub's limit");
  });
});

import { type Summary, show } from "./statistics.ts";

/** One line of the table of goals. */
export interface Judgement {
  readonly what: string;
  readonly goal: string;
  readonly measured: string;
  readonly verdict: "pass" | "FAIL" | "not measured";
}

/** A table of figures: the first row names the columns. */
export interface Table {
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
  /** Lines below it. */
  readonly notes?: readonly string[];
}

/** What one scenario found. */
export interface Finding {
  readonly judgements: readonly Judgement[];
  readonly tables: readonly Table[];
  /** Every single measurement, for machines. */
  readonly data: unknown;
}

/** A goal that was measured: its median decides. */
export function judge(
  what: string,
  goal: { readonly text: string; readonly holds: (value: number) => boolean },
  measured: Summary,
  write: (measured: Summary) => string = (summary) => show(summary, 2),
): Judgement {
  return { what, goal: goal.text, measured: write(measured), verdict: goal.holds(measured.median) ? "pass" : "FAIL" };
}

/** A goal that could not be measured, and why. */
export function notMeasured(what: string, goal: string, reason: string): Judgement {
  return { what, goal, measured: reason, verdict: "not measured" };
}

/** A table as lines of text, its columns aligned. */
export function renderRows(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  return rows
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function renderTable({ title, rows, notes = [] }: Table): string {
  return `${[title, "", renderRows(rows), ...notes].join("\n")}\n`;
}

/** A finding's tables, and the table of every goal. */
export function render(findings: readonly Finding[]): string {
  const tables = findings.flatMap(({ tables }) => tables).map(renderTable);
  const judgements = findings.flatMap(({ judgements }) => judgements);
  const goals = judgements.map(({ what, goal, measured, verdict }) => [what, goal, measured, verdict]);
  return [...tables, `Goals\n\n${renderRows([["what", "goal", "measured", "verdict"], ...goals])}\n`].join("\n");
}

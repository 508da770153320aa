import type { ActionFile } from "./action-file.ts";

const opening = "<!-- contract: written by `npm run build` from action.yml -->";
const closing = "<!-- /contract -->";

/**
 * A README with the tables of inputs and outputs between its two markers.
 *
 * @throws Error when the markers are not there, once each and in order.
 */
export function withContract(readme: string, contract: ActionFile, name: string): string {
  const start = readme.indexOf(opening);
  const end = readme.indexOf(closing);
  const once = start === readme.lastIndexOf(opening) && end === readme.lastIndexOf(closing);
  if (start < 0 || end < start || !once)
    throw new Error(`${name}: expected once each, in this order:\n${opening}\n${closing}`);
  return `${readme.slice(0, start + opening.length)}\n\n${contractTables(contract)}\n${readme.slice(end)}`;
}

/** The tables of inputs and outputs of an action, in markdown. */
export function contractTables({ inputs, outputs }: ActionFile): string {
  const inputRows = Object.entries(inputs).map(([name, input]) => [
    code(name),
    input.required ? "yes" : "no",
    input.default ? code(input.default) : "",
    cell(input.deprecationMessage ? `Deprecated: ${input.deprecationMessage} ${input.description}` : input.description),
  ]);
  const outputRows = Object.entries(outputs).map(([name, { description }]) => [code(name), cell(description)]);
  const inputTable =
    inputRows.length === 0 ? "No inputs.\n" : table(["input", "required", "default", "description"], inputRows);
  return `${inputTable}\n${table(["output", "description"], outputRows)}`;
}

/** A table with aligned columns, as the formatter leaves it. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((_, column) => Math.max(3, ...[header, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |\n`;
  return line(header) + line(widths.map((width) => "-".repeat(width))) + rows.map(line).join("");
}

function code(text: string): string {
  return `\`${cell(text)}\``;
}

function cell(text: string): string {
  return text
    .trim()
    .replace(/\s*\n\s*/g, " ")
    .replaceAll("|", "\\|");
}

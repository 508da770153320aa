/**
 * A README with generated text between its two markers.
 *
 * @throws Error when the markers are not there, once each and in order.
 */
export function withGenerated(readme: string, opening: string, closing: string, text: string, name: string): string {
  const start = readme.indexOf(opening);
  const end = readme.indexOf(closing);
  const once = start === readme.lastIndexOf(opening) && end === readme.lastIndexOf(closing);
  if (start < 0 || end < start || !once)
    throw new Error(`${name}: expected once each, in this order:\n${opening}\n${closing}`);
  return `${readme.slice(0, start + opening.length)}\n\n${text}\n${readme.slice(end)}`;
}

/** A table with aligned columns, as the formatter leaves it. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((_, column) => Math.max(3, ...[header, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |\n`;
  return line(header) + line(widths.map((width) => "-".repeat(width))) + rows.map(line).join("");
}

export function code(text: string): string {
  return `\`${cell(text)}\``;
}

/** Text that fits into a cell of a table. */
export function cell(text: string): string {
  return text
    .trim()
    .replace(/\s*\n\s*/g, " ")
    .replaceAll("|", "\\|");
}

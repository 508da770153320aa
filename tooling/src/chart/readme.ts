import { cell, code, table, withGenerated } from "../contract/markdown.ts";
import type { Value } from "./values.ts";

const opening = "<!-- values: written by `npm run build` from values.yaml -->";
const closing = "<!-- /values -->";

/**
 * A chart's README with the tables of its values between two markers: first those that belong to no group.
 *
 * @throws Error when the markers are not there, once each and in order.
 */
export function withValues(readme: string, values: readonly Value[], name: string): string {
  const alone = values.filter(({ path, fallback }) => path.length === 1 && fallback !== undefined);
  const groups = values.filter(({ path, fallback }) => path.length === 1 && fallback === undefined);
  const sections = groups.map(({ path: [group = ""], description }) => {
    const inside = values.filter(({ path }) => path[0] === group && path.length > 1);
    const text = description === "" ? "" : `${description}\n\n`;
    return `### ${group}\n\n${text}${valueTable(inside)}`;
  });
  return withGenerated(readme, opening, closing, [valueTable(alone), ...sections].join("\n"), name);
}

function valueTable(values: readonly Value[]): string {
  const rows = values.map(({ path, description, fallback }) => [
    code(path.join(".")),
    fallback === undefined || fallback === '""' ? "" : code(fallback),
    cell(description),
  ]);
  return table(["value", "default", "description"], rows);
}

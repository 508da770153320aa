import type { ActionFile } from "./action-file.ts";
import { cell, code, table, withGenerated } from "./markdown.ts";

const opening = "<!-- contract: written by `npm run build` from action.yml -->";
const closing = "<!-- /contract -->";

/**
 * A README with the tables of inputs and outputs between its two markers.
 *
 * @throws Error when the markers are not there, once each and in order.
 */
export function withContract(readme: string, contract: ActionFile, name: string): string {
  return withGenerated(readme, opening, closing, contractTables(contract), name);
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

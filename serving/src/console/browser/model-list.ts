import type { IndexEntry } from "./client.ts";
import { element } from "./elements.ts";

/** A model of the repository, with its versions as the index lists them. */
export interface ListedModel {
  readonly name: string;
  readonly versions: readonly IndexEntry[];
}

/** The index's entries by model, in the order of their names. */
export function byModel(entries: readonly IndexEntry[]): ListedModel[] {
  const models = new Map<string, IndexEntry[]>();
  for (const entry of entries) models.set(entry.name, [...(models.get(entry.name) ?? []), entry]);
  return [...models]
    .map(([name, versions]) => ({ name, versions }))
    .sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
}

/** The list of models; the one that is open is marked. */
export function modelList(
  models: readonly ListedModel[],
  open: string | undefined,
  choose: (name: string) => void,
): HTMLLIElement[] {
  return models.map(({ name, versions }) => {
    const button = element("button", { type: "button" }, element("span", { className: "name" }, name), state(versions));
    if (name === open) button.ariaCurrent = "true";
    button.addEventListener("click", () => choose(name));
    return element("li", {}, button);
  });
}

function state(versions: readonly IndexEntry[]): HTMLElement {
  const ready = versions.filter((entry) => entry.state === "READY");
  const numbers = ready.map(({ version }) => version ?? "").filter(Boolean);
  const broken = versions.find((entry) => entry.state !== "READY");
  const title = versions.map((entry) => `${entry.version ?? ""} ${entry.state ?? ""} ${entry.reason ?? ""}`.trim());
  const className = broken === undefined ? "dot good" : ready.length > 0 ? "dot mixed" : "dot bad";
  const told = numbers.length > 0 ? `v${numbers.join(", ")}` : (broken?.state ?? "").toLowerCase();
  return element(
    "span",
    { className: "state", title: title.join("\n") },
    element("span", { className, ariaHidden: "true" }),
    told,
  );
}

import { type Element, formatNumber, indexOf, lookOf, numbersOf, type OutputTensor, summaryOf } from "./answer-data.ts";
import { element } from "./elements.ts";
import { signature } from "./tensor-editor.ts";

/** A list with more is cut: the greatest numbers, or else the first values. */
const LONGEST_LIST = 32;
const GREATEST_SHOWN = 16;
const MOST_ROWS = 16;
const MOST_COLUMNS = 12;

/** One output of an answer: what it is, its figures, and its values as bars or as a table. */
export function outputView(tensor: OutputTensor): HTMLElement {
  const numbers = numbersOf(tensor);
  const title = element("h4", {}, element("code", {}, tensor.name), " ", signature(tensor.datatype, tensor.shape));
  return element(
    "section",
    { className: "output" },
    title,
    ...figures(numbers, tensor.shape),
    ...values(tensor, numbers),
  );
}

function figures(numbers: readonly number[] | undefined, shape: readonly number[]): HTMLElement[] {
  const summary = numbers === undefined || numbers.length < 2 ? undefined : summaryOf(numbers);
  if (summary === undefined) return [];
  const figure = (name: string, value: string) => element("div", {}, element("dt", {}, name), element("dd", {}, value));
  const { least, mean, greatest, at } = summary;
  return [
    element(
      "dl",
      { className: "figures" },
      figure("min", formatNumber(least)),
      figure("mean", formatNumber(mean)),
      figure("max", formatNumber(greatest)),
      figure("argmax", indexOf(at, shape)),
    ),
  ];
}

function values(tensor: OutputTensor, numbers: readonly number[] | undefined): HTMLElement[] {
  const look = lookOf(tensor.shape, tensor.data.length);
  switch (look.kind) {
    case "empty":
      return [note("no elements")];
    case "scalar":
      return [element("p", { className: "scalar" }, formatNumber(tensor.data[0] ?? ""))];
    case "list":
      return list(tensor.data, numbers);
    case "table": {
      const { rows, columns, slice } = look;
      const cut = rows > MOST_ROWS || columns > MOST_COLUMNS;
      const what = cut ? `the first values of ${rows} × ${columns}` : `${rows} × ${columns}`;
      const told = slice === undefined ? (cut ? [note(what)] : []) : [note(`${slice}: ${what}`)];
      return [scrolling(table(tensor.data, numbers, rows, columns)), ...told];
    }
  }
}

function list(data: readonly Element[], numbers: readonly number[] | undefined): HTMLElement[] {
  const all = [...data.keys()];
  if (data.length <= LONGEST_LIST) return [bars(all, data, numbers)];
  if (numbers === undefined) {
    return [bars(all.slice(0, LONGEST_LIST), data, numbers), note(`the first ${LONGEST_LIST} of ${data.length}`)];
  }
  const order = (index: number) => (Number.isNaN(numbers[index]) ? Number.NEGATIVE_INFINITY : (numbers[index] ?? 0));
  const greatest = all.sort((a, b) => order(b) - order(a)).slice(0, GREATEST_SHOWN);
  return [bars(greatest, data, numbers), note(`the ${GREATEST_SHOWN} greatest of ${data.length}`)];
}

/** A row for each index: its value, and for a number a bar from zero. */
function bars(
  indices: readonly number[],
  data: readonly Element[],
  numbers: readonly number[] | undefined,
): HTMLTableElement {
  const shown = indices.map((index) => numbers?.[index] ?? Number.NaN).filter(Number.isFinite);
  const low = Math.min(0, ...shown);
  const span = Math.max(0, ...shown) - low || 1;
  const greatest = Math.max(...shown);
  const rows = indices.map((index) => {
    const number = numbers?.[index];
    const row = element(
      "tr",
      { className: number !== undefined && number === greatest ? "greatest" : "" },
      element("th", { scope: "row" }, String(index)),
      element("td", {}, formatNumber(data[index] ?? "")),
    );
    if (number !== undefined) row.append(element("td", { className: "track" }, bar(number, low, span)));
    return row;
  });
  return element("table", { className: "bars" }, element("tbody", {}, ...rows));
}

function bar(number: number, low: number, span: number): HTMLElement {
  const made = element("span", { className: "bar", ariaHidden: "true" });
  if (!Number.isFinite(number)) return made;
  made.style.setProperty("--from", String((Math.min(number, 0) - low) / span));
  made.style.setProperty("--size", String(Math.abs(number) / span));
  return made;
}

/** The first rows and columns; numbers are shaded from the least to the greatest of those shown. */
function table(
  data: readonly Element[],
  numbers: readonly number[] | undefined,
  rows: number,
  columns: number,
): HTMLTableElement {
  const shownRows = [...Array(Math.min(rows, MOST_ROWS)).keys()];
  const shownColumns = [...Array(Math.min(columns, MOST_COLUMNS)).keys()];
  const indices = shownRows.flatMap((row) => shownColumns.map((column) => row * columns + column));
  const summary = numbers && summaryOf(indices.map((index) => numbers[index] ?? Number.NaN));
  const cell = (index: number) => {
    const made = element("td", {}, formatNumber(data[index] ?? ""));
    const number = numbers?.[index] ?? Number.NaN;
    if (summary !== undefined && Number.isFinite(number)) {
      const heat = (number - summary.least) / (summary.greatest - summary.least || 1);
      made.style.setProperty("--heat", `${Math.round(heat * 100)}%`);
    }
    return made;
  };
  const head = element("tr", {}, element("td"), ...shownColumns.map((c) => element("th", { scope: "col" }, String(c))));
  const body = shownRows.map((row) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, String(row)),
      ...shownColumns.map((column) => cell(row * columns + column)),
    ),
  );
  return element("table", { className: "heat" }, element("thead", {}, head), element("tbody", {}, ...body));
}

function scrolling(content: HTMLElement): HTMLElement {
  return element("div", { className: "scrolling", tabIndex: 0 }, content);
}

function note(text: string): HTMLElement {
  return element("p", { className: "hint" }, text);
}

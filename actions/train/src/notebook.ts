/** A cell of a notebook: nbformat 4, https://nbformat.readthedocs.io/en/latest/format_description.html */
export interface Cell {
  readonly cell_type: string;
  readonly source: string | readonly string[];
  readonly metadata?: {
    readonly tags?: readonly string[];
    readonly papermill?: { readonly exception?: boolean | null; readonly status?: string; readonly duration?: number };
  };
  readonly outputs?: readonly {
    readonly output_type: string;
    readonly ename?: string;
    readonly evalue?: string;
    readonly traceback?: readonly string[];
  }[];
}

export interface Notebook {
  readonly cells: readonly Cell[];
}

/** A notebook, or undefined where the text is none. */
export function readNotebook(text: string): Notebook | undefined {
  try {
    const value = JSON.parse(text) as Partial<Notebook> | null;
    return Array.isArray(value?.cells) ? (value as Notebook) : undefined;
  } catch {
    return undefined;
  }
}

/** Where a notebook broke. */
export interface CellFailure {
  /** From 1, counted over the code cells of the person's notebook; 0 for the cell of parameters that papermill puts in. */
  readonly cell: number;
  /** The first lines of the cell, without comments and blank lines. */
  readonly source: readonly string[];
  /** Such as `ValueError: could not convert …`. */
  readonly exception: string;
  /** The last lines of the traceback, without colours. */
  readonly traceback: readonly string[];
}

/** The cell whose exception ended an executed notebook, or undefined. */
export function findFailure(executed: Notebook): CellFailure | undefined {
  const cells = ownCodeCells(executed);
  for (const cell of executed.cells) {
    const error = cell.outputs?.find(({ output_type }) => output_type === "error");
    const failed = cell.metadata?.papermill?.exception === true || cell.metadata?.papermill?.status === "failed";
    if (error === undefined || !failed) continue;
    const traceback = (error.traceback ?? []).join("\n").split("\n").map(withoutColours);
    return {
      cell: cells.indexOf(cell) + 1,
      source: firstLines(cell),
      exception: `${error.ename ?? "Error"}: ${withoutColours(error.evalue ?? "")}`.slice(0, 1_000),
      traceback: traceback.filter((line) => line.trim() !== "").slice(-12),
    };
  }
  return undefined;
}

/** The code cells that the person wrote: papermill adds one for the parameters and two notes around a failure. */
export function ownCodeCells({ cells }: Notebook): Cell[] {
  return cells.filter(
    ({ cell_type, metadata }) => cell_type === "code" && !metadata?.tags?.includes("injected-parameters"),
  );
}

/** Place of the cell that says where parameters go, or -1. */
export function parametersCell({ cells }: Notebook): number {
  return cells.findIndex(({ metadata }) => metadata?.tags?.includes("parameters"));
}

/**
 * What each cell is called while papermill runs it, in papermill's order; undefined for text. Papermill puts a cell with
 * the parameters behind the one that is tagged, or else before all others, or in the place of one from an earlier run.
 * Source: papermill/parameterize.py, parameterize_notebook.
 */
export function cellLabels(notebook: Notebook, hasParameters: boolean): (string | undefined)[] {
  const own = ownCodeCells(notebook);
  const labels = notebook.cells.map((cell) => {
    const number = own.indexOf(cell) + 1;
    if (number === 0) return cell.cell_type === "code" ? "the parameters" : undefined;
    const [first = ""] = firstLines(cell);
    return `code cell ${number} of ${own.length}: ${first.slice(0, 100)}`;
  });
  if (hasParameters && !labels.includes("the parameters"))
    labels.splice(parametersCell(notebook) + 1, 0, "the parameters");
  return labels;
}

/** The first lines of a cell that say something, at most three. */
export function firstLines({ source }: Cell): string[] {
  const text = typeof source === "string" ? source : source.join("");
  const lines = text.split("\n").map((line) => line.trimEnd());
  return lines.filter((line) => line.trim() !== "" && !line.trim().startsWith("#")).slice(0, 3);
}

function withoutColours(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a traceback is coloured by ANSI sequences
  return text.replace(/\u001b\[[0-9;]*m/g, "");
}

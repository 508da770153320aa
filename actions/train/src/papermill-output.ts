/** What a line of papermill's output is. */
export type OutputLine =
  | { readonly kind: "cell" /** From 1, over all cells that papermill runs. */; readonly place: number }
  | { readonly kind: "line"; readonly text: string };

/**
 * Reads papermill's output line by line. Its own stack, which it prints below every failure, and warnings about how it
 * talks to the kernel say nothing about the notebook and are left out.
 */
export class PapermillOutput {
  /** The line that may begin papermill's own stack, until the next one tells. */
  #held: string | undefined;
  #inOwnStack = false;

  read(line: string): OutputLine[] {
    if (this.#inOwnStack) {
      if (/^\s/.test(line)) return [];
      this.#inOwnStack = false;
    }
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined && /^\s+File ".*(<frozen runpy>|papermill.*\.py)"/.test(line)) {
      this.#inOwnStack = true;
      return [];
    }
    const before: OutputLine[] = held === undefined ? [] : [{ kind: "line", text: held }];
    if (line === "Traceback (most recent call last):") {
      this.#held = line;
      return before;
    }
    const [, cell, place] = /^(Executing|Ending) Cell (\d+)-+$/.exec(line) ?? [];
    if (cell === "Executing") return [...before, { kind: "cell", place: Number(place) }];
    if (cell === "Ending" || line.trim() === "" || noise.test(line)) return before;
    return [...before, { kind: "line", text: line }];
  }
}

const noise = /^(\[IPKernelApp\] WARNING \| Kernel is running over TCP without encryption|Output Notebook: )/;

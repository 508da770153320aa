import { readAnswer } from "./answer-data.ts";
import { type Answer, errorMessage } from "./client.ts";
import { copyButton, element } from "./elements.ts";
import { outputView } from "./output-view.ts";

/** More text than this makes a browser slow; what is cut is said. */
const LONGEST_RAW = 200_000;
/** Times that the median is taken of. */
const TIMES_KEPT = 25;

/** Where answers are shown. */
export class AnswerView {
  readonly view = element("section", { className: "answer", ariaLabel: "Answer" });
  readonly #content = element("div", { ariaLive: "polite" });
  readonly #times: number[] = [];

  constructor() {
    this.view.append(element("h3", {}, "Answer"), this.#content);
    this.#content.append(element("p", { className: "hint" }, "Send the request to see what the model says."));
  }

  /** What came back, whether good or bad. */
  show(answer: Answer): void {
    const { status, text } = answer;
    if (status !== 200) {
      this.#content.replaceChildren(this.#heading(answer), problem(errorMessage(text)), raw(text));
      return;
    }
    this.#times.push(answer.milliseconds);
    if (this.#times.length > TIMES_KEPT) this.#times.shift();
    this.#content.replaceChildren(this.#heading(answer), ...outputs(text), raw(text));
  }

  /** No answer: nothing was sent, or nothing came back. */
  showProblem(message: string): void {
    this.#content.replaceChildren(problem(message));
  }

  #heading({ status, text, milliseconds }: Answer): HTMLElement {
    const ok = status === 200;
    const parts = [
      element("span", { className: ok ? "pill good" : "pill bad" }, `HTTP ${status}`),
      element("span", { className: "time" }, formatTime(milliseconds)),
      element("span", { className: "hint" }, `round trip, ${formatSize(new Blob([text]).size)}`),
    ];
    if (ok && this.#times.length > 1) {
      const told = `median of ${this.#times.length}: ${formatTime(median(this.#times))}`;
      parts.push(element("span", { className: "hint" }, told));
    }
    return element("p", { className: "heading" }, ...parts);
  }
}

function outputs(text: string): HTMLElement[] {
  try {
    return readAnswer(text).outputs.map(outputView);
  } catch (error) {
    return [problem(`the answer is no inference response: ${error instanceof Error ? error.message : error}`)];
  }
}

function problem(message: string): HTMLElement {
  return element("p", { className: "problem", role: "alert" }, message);
}

function raw(text: string): HTMLElement {
  const cut = text.length > LONGEST_RAW;
  const content = element("pre", { tabIndex: 0 }, cut ? `${text.slice(0, LONGEST_RAW)}…` : text);
  const tools = element("div", { className: "tools" }, copyButton("Copy", content));
  if (cut)
    tools.append(element("span", { className: "hint" }, `the first ${LONGEST_RAW} of ${text.length} characters`));
  return element("details", {}, element("summary", {}, "JSON"), content, tools);
}

function formatTime(milliseconds: number): string {
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
}

function formatSize(bytes: number): string {
  return bytes < 1_000 ? `${bytes} bytes` : `${(bytes / 1_000).toFixed(1)} kB`;
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

import type { TensorMetadata } from "./client.ts";
import { element, labelled } from "./elements.ts";
import type { InputText } from "./request-text.ts";
import { EDITABLE_ELEMENTS, elementCount, FILLS, type Fill, sampleData } from "./sample-data.ts";

/** More would freeze the page while it makes them. */
const MOST_ELEMENTS = 20_000_000;

/** What is written in an input's editor cannot be sent. */
export class EditorError extends Error {
  override readonly name = "EditorError";
}

/** The editor of one input: its shape where the model leaves it open, and its data. */
export class TensorEditor {
  readonly view: HTMLElement;
  readonly #tensor: TensorMetadata;
  readonly #sizes: readonly HTMLInputElement[];
  readonly #anyShape = element("input", { type: "text", placeholder: "1, 2", spellcheck: false });
  readonly #fill = element("select", {}, ...FILLS.map((fill) => element("option", { value: fill }, fill)));
  readonly #data = element("textarea", { rows: 3, spellcheck: false });
  readonly #count = element("p", { className: "hint" });
  /** Whether the data is a person's: then a change of the shape leaves it alone. */
  #edited = false;

  constructor(tensor: TensorMetadata, onChange: () => void) {
    this.#tensor = tensor;
    this.#sizes = tensor.shape.map((size) => sizeInput(size));
    this.#data.name = `data of ${tensor.name}`;
    this.#data.addEventListener("input", () => {
      this.#edited = this.#data.value.trim() !== "";
    });
    for (const control of [...this.#sizes, this.#anyShape, this.#fill]) {
      control.addEventListener("input", () => this.#refill(control === this.#fill));
    }
    this.view = this.#layOut();
    this.view.addEventListener("input", onChange);
    this.#refill(true);
  }

  /** @throws EditorError that says what is wrong, and of which input */
  read(): InputText {
    const { name, datatype } = this.#tensor;
    const shape = this.#shape();
    const written = this.#data.value.trim();
    if (written !== "") return { name, datatype, shape, data: checkedJson(name, written) };
    if (elementCount(shape) > MOST_ELEMENTS) throw new EditorError(`input '${name}': too many elements to make here`);
    return { name, datatype, shape, data: sampleData(datatype, shape, this.#fill.value as Fill, Math.random) };
  }

  #shape(): number[] {
    const { name, shape } = this.#tensor;
    const words =
      shape.length > 0 ? this.#sizes.map(({ value }) => value) : this.#anyShape.value.split(/[\s,]+/).filter(Boolean);
    return words.map((word) => {
      if (/^\d{1,15}$/.test(word)) return Number(word);
      throw new EditorError(`input '${name}': '${word}' is no size of a dimension`);
    });
  }

  #refill(replace: boolean): void {
    if (replace) this.#edited = false;
    let count: number;
    try {
      count = elementCount(this.#shape());
    } catch (error) {
      this.#count.textContent = error instanceof EditorError ? error.message : String(error);
      return;
    }
    const shown = count <= EDITABLE_ELEMENTS;
    const holds = `the shape holds ${count === 1 ? "1 value" : `${count.toLocaleString("en")} values`}`;
    this.#count.textContent = shown ? holds : `${holds}, made when sent; write JSON here to send your own`;
    if (this.#edited) return;
    const { datatype } = this.#tensor;
    this.#data.value = shown ? sampleData(datatype, this.#shape(), this.#fill.value as Fill, Math.random) : "";
  }

  #layOut(): HTMLElement {
    const { name, datatype, shape } = this.#tensor;
    const legend = element("legend", {}, element("code", {}, name), " ", signature(datatype, shape));
    const dimensions = shape
      .map((size, index) => ({ size, index, input: this.#sizes[index] as HTMLInputElement }))
      .filter(({ size }) => size === -1)
      .map(({ index, input }) => labelled(`dimension ${index}`, input));
    if (shape.length === 0) dimensions.push(labelled("shape (empty: a scalar)", this.#anyShape));
    const controls = element("div", { className: "controls" }, ...dimensions, labelled("fill with", this.#fill));
    const data = labelled("data (JSON, nested or flat)", this.#data);
    return element("fieldset", { className: "tensor" }, legend, controls, data, this.#count);
  }
}

/** `FP32 [-1, 64]`, set apart from the name before it. */
export function signature(datatype: string, shape: readonly number[]): HTMLElement {
  return element("span", { className: "signature" }, `${datatype} [${shape.join(", ")}]`);
}

/** Its arrows stop at 1: few models take a dimension of 0. One that is written is sent, for the server to judge. */
function sizeInput(size: number): HTMLInputElement {
  return element("input", { type: "number", min: "1", step: "1", value: String(size === -1 ? 1 : size) });
}

function checkedJson(input: string, text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch (error) {
    throw new EditorError(`input '${input}': the data is no JSON: ${error instanceof Error ? error.message : error}`);
  }
}

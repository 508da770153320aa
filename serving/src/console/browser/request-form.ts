import { type Client, type ModelMetadata, modelPath } from "./client.ts";
import { copyButton, element } from "./elements.ts";
import { curlText, LONGEST_INLINE_BODY, requestText } from "./request-text.ts";
import { EditorError, TensorEditor } from "./tensor-editor.ts";

/** What the form tells whoever shows the answer. */
export interface RequestEvents {
  readonly send: (body: string) => void;
  /** The request cannot be made from what is written. */
  readonly refuse: (message: string) => void;
  readonly cancel: () => void;
}

/** Builds a request from a model's metadata. */
export class RequestForm {
  readonly view: HTMLFormElement;
  readonly #editors: readonly TensorEditor[];
  readonly #outputs: readonly HTMLInputElement[];
  readonly #button = element("button", { type: "submit", className: "primary" }, "Send");
  readonly #cancel = element("button", { type: "button", hidden: true }, "Cancel");
  readonly #curl = element("pre", { tabIndex: 0 });
  readonly #save = element("button", { type: "button", className: "quiet", hidden: true }, "Save request.json");
  readonly #url: string;
  readonly #client: Client;
  #drawn = 0;

  constructor(client: Client, model: ModelMetadata, version: string | undefined, events: RequestEvents) {
    this.#client = client;
    this.#url = new URL(modelPath(model.name, version, "/infer"), document.baseURI).href;
    this.#editors = model.inputs.map((input) => new TensorEditor(input, () => this.#draw()));
    this.#outputs = model.outputs.map(({ name }) => element("input", { type: "checkbox", checked: true, value: name }));
    this.#save.addEventListener("click", () => this.#saveRequest(events.refuse));
    this.#cancel.addEventListener("click", events.cancel);
    this.view = this.#layOut();
    this.view.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#read(events.send, events.refuse);
    });
    this.view.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.view.requestSubmit();
    });
    this.#draw();
  }

  /** While a request is under way the button that sends is one that cancels. */
  set busy(busy: boolean) {
    this.#button.disabled = busy;
    this.#button.textContent = busy ? "Sending…" : "Send";
    this.#cancel.hidden = !busy;
  }

  #body(): string {
    const wanted = this.#outputs.filter(({ checked }) => checked).map(({ value }) => value);
    const inputs = this.#editors.map((editor) => editor.read());
    return requestText(inputs, wanted.length === this.#outputs.length ? [] : wanted);
  }

  #read(use: (body: string) => void, refuse: (message: string) => void): void {
    try {
      use(this.#body());
    } catch (error) {
      if (!(error instanceof EditorError)) throw error;
      refuse(error.message);
    }
  }

  /** Writes the curl command anew, once for all that changes in a frame. */
  #draw(): void {
    cancelAnimationFrame(this.#drawn);
    this.#drawn = requestAnimationFrame(() => {
      this.#read(
        (body) => {
          this.#curl.textContent = curlText(this.#url, body, this.#client.token !== "");
          this.#save.hidden = body.length <= LONGEST_INLINE_BODY;
        },
        (message) => {
          this.#curl.textContent = `# ${message}`;
          this.#save.hidden = true;
        },
      );
    });
  }

  #saveRequest(refuse: (message: string) => void): void {
    this.#read((body) => {
      const url = URL.createObjectURL(new Blob([body], { type: "application/json" }));
      element("a", { href: url, download: "request.json" }).click();
      setTimeout(() => URL.revokeObjectURL(url), 1_000);
    }, refuse);
  }

  #layOut(): HTMLFormElement {
    const send = element("div", { className: "send" }, this.#button, this.#cancel);
    send.append(element("span", { className: "hint" }, "or Ctrl+Enter"));
    const tools = element("div", { className: "tools" }, copyButton("Copy", this.#curl), this.#save);
    const command = element("details", { open: true }, element("summary", {}, "curl"), this.#curl, tools);
    return element(
      "form",
      { noValidate: true, ariaLabel: "Request" },
      element("h3", {}, "Request"),
      ...this.#editors.map(({ view }) => view),
      ...this.#outputChoice(),
      send,
      command,
    );
  }

  #outputChoice(): HTMLElement[] {
    if (this.#outputs.length < 2) return [];
    const choices = this.#outputs.map((box) => element("label", { className: "choice" }, box, box.value));
    const fieldset = element("fieldset", { className: "choices" }, element("legend", {}, "Outputs wanted"), ...choices);
    fieldset.addEventListener("input", () => this.#draw());
    return [fieldset];
  }
}

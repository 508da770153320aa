/** Properties of an element; not those that would read their value as markup. */
type Properties<Tag extends keyof HTMLElementTagNameMap> = Partial<
  Omit<HTMLElementTagNameMap[Tag], "innerHTML" | "outerHTML" | "style">
>;

/**
 * Makes an element. Children that are strings become text: names of models and tensors are nobody's markup.
 */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Properties<Tag> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** The element of the page with this id. */
export function byId<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${kind.name} #${id}`);
}

let labels = 0;

/** A label above a control, tied to it. */
export function labelled(text: string, control: HTMLElement): HTMLElement {
  labels += 1;
  control.id = `control-${labels}`;
  return element("div", { className: "field" }, element("label", { htmlFor: control.id }, text), control);
}

/** A button that copies the text of an element, and says so for a moment. */
export function copyButton(label: string, source: HTMLElement): HTMLButtonElement {
  const button = element("button", { type: "button", className: "quiet" }, label);
  button.addEventListener("click", async () => {
    button.textContent = (await copyText(source)) ? "Copied" : "Selected";
    setTimeout(() => {
      button.textContent = label;
    }, 1_500);
  });
  return button;
}

/** Browsers give the clipboard to HTTPS and localhost only: elsewhere the text is selected, ready for Ctrl+C. */
async function copyText(source: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(source.textContent ?? "");
    return true;
  } catch {
    getSelection()?.selectAllChildren(source);
    return false;
  }
}

import { AnswerView } from "./answer-view.ts";
import { type Client, type ModelMetadata, modelPath, type TensorMetadata } from "./client.ts";
import { element, labelled } from "./elements.ts";
import { RequestForm } from "./request-form.ts";
import { signature } from "./tensor-editor.ts";

export interface OpenModel {
  readonly metadata: ModelMetadata;
  /** Every version that can be asked for. */
  readonly versions: readonly string[];
  /** The version asked for; undefined is the default. */
  readonly version: string | undefined;
  readonly ready: boolean;
}

/**
 * Asks the server about a model.
 *
 * @throws ServerError with the server's own words
 */
export async function askModel(client: Client, name: string, version: string | undefined): Promise<OpenModel> {
  const [metadata, ready] = await Promise.all([
    client.model(name, version),
    client.isReady(modelPath(name, version, "/ready")),
  ]);
  const versions = version === undefined ? metadata.versions : (await client.model(name, undefined)).versions;
  return { metadata, versions, version, ready };
}

/** A model: what it is, a request to it, and its answer. */
export function modelView(
  client: Client,
  model: OpenModel,
  choose: (version: string | undefined) => void,
): HTMLElement[] {
  const answers = new AnswerView();
  let running: AbortController | undefined;
  const form = new RequestForm(client, model.metadata, model.version, {
    refuse: (message) => answers.showProblem(message),
    cancel: () => running?.abort(),
    send: async (body) => {
      if (running !== undefined) return;
      running = new AbortController();
      form.busy = true;
      try {
        answers.show(await client.infer(model.metadata.name, model.version, body, running.signal));
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        answers.showProblem(running.signal.aborted ? "cancelled" : `no answer came: ${reason}`);
      } finally {
        running = undefined;
        form.busy = false;
      }
    },
  });
  return [heading(model, choose), element("div", { className: "columns" }, form.view, answers.view)];
}

function heading(model: OpenModel, choose: (version: string | undefined) => void): HTMLElement {
  const { metadata, ready } = model;
  const title = element("h2", {}, metadata.name);
  const pill = element("span", { className: ready ? "pill good" : "pill bad" }, ready ? "ready" : "not ready");
  const row = element("div", { className: "title" }, title, pill, versionChoice(model, choose));
  const facts = element(
    "div",
    { className: "facts" },
    tensors("takes", metadata.inputs),
    tensors("gives", metadata.outputs),
    element("p", {}, element("span", { className: "hint" }, "platform"), element("code", {}, metadata.platform)),
  );
  return element("header", { className: "model" }, row, facts);
}

function versionChoice({ versions, version }: OpenModel, choose: (version: string | undefined) => void): HTMLElement {
  const options = versions.map((name) => element("option", { value: name }, name));
  const select = element("select", {}, element("option", { value: "" }, "default"), ...options);
  select.value = version ?? "";
  select.addEventListener("input", () => choose(select.value === "" ? undefined : select.value));
  const field = labelled("version", select);
  field.classList.add("beside");
  return field;
}

function tensors(verb: string, list: readonly TensorMetadata[]): HTMLElement {
  const items = list.map(({ name, datatype, shape }) =>
    element("span", { className: "fact" }, element("code", {}, name), " ", signature(datatype, shape)),
  );
  return element("p", {}, element("span", { className: "hint" }, verb), ...items);
}

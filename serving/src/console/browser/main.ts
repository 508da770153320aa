import { Client, type IndexEntry, ServerError } from "./client.ts";
import { byId, element } from "./elements.ts";
import { byModel, type ListedModel, modelList } from "./model-list.ts";
import { askModel, modelView } from "./model-view.ts";

const client = new Client();
const title = byId("server", HTMLElement);
const version = byId("server-version", HTMLElement);
const readiness = byId("readiness", HTMLElement);
const problem = byId("problem", HTMLElement);
const models = byId("models", HTMLUListElement);
const main = byId("model", HTMLElement);
const tokenForm = byId("token-form", HTMLFormElement);
const tokenField = byId("token", HTMLInputElement);
const nameForm = byId("name-form", HTMLFormElement);
const nameField = byId("name", HTMLInputElement);

let listed: readonly ListedModel[] = [];
/** Rises with every model that is opened: an answer about an earlier one comes too late. */
let opened = 0;

/** What the page's address says is open: `#model=digits&version=2`, so that it can be kept and sent to somebody. */
function address(): { readonly model: string | undefined; readonly version: string | undefined } {
  const words = new URLSearchParams(location.hash.slice(1));
  return { model: words.get("model") || undefined, version: words.get("version") || undefined };
}

function go(model: string, version?: string): void {
  location.hash = new URLSearchParams({ model, ...(version === undefined ? {} : { version }) }).toString();
}

/** Says what went wrong, in the server's words where it has some; asks for a token where it wants one. */
function report(error: unknown): void {
  const unauthorized = error instanceof ServerError && error.status === 401;
  tokenForm.hidden = !unauthorized && client.token === "";
  if (unauthorized) tokenField.focus();
  const message = error instanceof Error ? error.message : String(error);
  problem.textContent = error instanceof ServerError ? `HTTP ${error.status}: ${message}` : `no answer: ${message}`;
  problem.hidden = false;
}

async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    problem.hidden = true;
    await work();
  } catch (error) {
    report(error);
  }
}

async function refresh(): Promise<void> {
  const ready = await client.isReady("v2/health/ready");
  readiness.textContent = ready ? "ready" : "not ready";
  readiness.className = ready ? "pill good" : "pill bad";
  const server = await client.server();
  title.textContent = server.name;
  version.textContent = server.version;
  document.title = server.name;
  listed = byModel(await index());
  tokenForm.hidden = client.token === "";
  const first = listed.find(({ versions }) => versions.some(({ state }) => state === "READY")) ?? listed[0];
  if (address().model === undefined && first !== undefined) {
    history.replaceState(null, "", `#${new URLSearchParams({ model: first.name })}`);
  }
  await open();
}

/** The repository's index; nothing where a server does not answer it: then a person types the model's name. */
async function index(): Promise<readonly IndexEntry[]> {
  try {
    const entries = await client.index();
    nameForm.hidden = true;
    return entries;
  } catch (error) {
    if (!(error instanceof ServerError) || error.status === 401) throw error;
    nameForm.hidden = false;
    return [];
  }
}

async function open(): Promise<void> {
  opened += 1;
  const mine = opened;
  const { model, version } = address();
  models.replaceChildren(...modelList(listed, model, go));
  if (model === undefined) {
    const empty = nameForm.hidden ? "This server has no models." : "Type the name of a model to open it.";
    main.replaceChildren(element("p", { className: "hint" }, empty));
    return;
  }
  main.ariaBusy = "true";
  try {
    const view = modelView(client, await askModel(client, model, version), (chosen) => go(model, chosen));
    if (mine === opened) main.replaceChildren(...view);
  } catch (error) {
    if (mine === opened) main.replaceChildren(element("h2", {}, model));
    throw error;
  } finally {
    if (mine === opened) main.ariaBusy = "false";
  }
}

tokenForm.addEventListener("submit", (event) => {
  event.preventDefault();
  client.token = tokenField.value.trim();
  tokenField.value = "";
  void attempt(refresh);
});
nameForm.addEventListener("submit", (event) => {
  event.preventDefault();
  if (nameField.value.trim() !== "") go(nameField.value.trim());
});
byId("skip", HTMLAnchorElement).addEventListener("click", (event) => {
  event.preventDefault(); // the part of the address behind # says which model is open
  main.focus();
});
byId("refresh", HTMLButtonElement).addEventListener("click", () => void attempt(refresh));
addEventListener("hashchange", () => void attempt(open));
void attempt(refresh);

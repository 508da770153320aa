// Generated from browser/ by `node serving/src/console/build-page.ts`; do not edit.
export const STYLE_HASH = "sha256-D5lrH1gnnxe9rem1IYd6hfH4jkL+Ysef4hHQxobMbjk=";
export const SCRIPT_HASH = "sha256-KX2/lE1Mzizl0q/dq4cKm8CDOuV3kMTU4kePClq6588=";
export const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>model-server</title>
    <link
      rel="icon"
      href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%230f766e'/%3E%3Cpath d='M4 12V8M8 12V4M12 12V6' stroke='%23fff' stroke-width='2' stroke-linecap='round'/%3E%3C/svg%3E"
    />
    <style>
:root {
  color-scheme: light dark;
  --paper: #f6f7f9;
  --card: #ffffff;
  --sunk: #f1f3f6;
  --line: #dde1e8;
  --text: #16202c;
  --soft: #5a6675;
  --accent: #0f766e;
  --accent-text: #ffffff;
  --accent-wash: #d9f0ed;
  --good: #146c3a;
  --good-wash: #dcf3e4;
  --bad: #a4221b;
  --bad-wash: #fbe4e2;
  --warm: #9a6700;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace;
}

@media (prefers-color-scheme: dark) {
  :root {
    --paper: #10151b;
    --card: #181f27;
    --sunk: #121820;
    --line: #2b3540;
    --text: #e4e9ef;
    --soft: #98a5b3;
    --accent: #4fd1c0;
    --accent-text: #06231f;
    --accent-wash: #173b38;
    --good: #6fdc98;
    --good-wash: #16331f;
    --bad: #ff9b93;
    --bad-wash: #40201e;
    --warm: #e3b341;
  }
}

* {
  box-sizing: border-box;
}

body {
  margin: 0;
  background: var(--paper);
  color: var(--text);
  font:
    15px / 1.5 system-ui,
    -apple-system,
    "Segoe UI",
    Roboto,
    "DejaVu Sans",
    sans-serif;
}

h1,
h2,
h3,
h4,
p,
ul,
dl,
dd,
fieldset {
  margin: 0;
  padding: 0;
}

h1 {
  font-size: 1.05rem;
}

h2 {
  font-size: 1.3rem;
  line-height: 1.25;
  overflow-wrap: anywhere;
}

h3 {
  font-size: 0.75rem;
  letter-spacing: 0.08em;
  text-transform: uppercase;
  color: var(--soft);
}

h4 {
  font-size: 0.95rem;
  font-weight: 600;
}

code,
pre,
textarea,
.signature,
.bars,
.heat,
.scalar,
dd {
  font-family: var(--mono);
  font-size: 0.85em;
}

code {
  overflow-wrap: anywhere;
}

a {
  color: var(--accent);
}

:focus-visible {
  outline: 2px solid var(--accent);
  outline-offset: 2px;
}

main:focus {
  outline: none;
}

/* Controls */

button,
input,
select,
textarea {
  font: inherit;
  color: inherit;
  background: var(--card);
  border: 1px solid var(--line);
  border-radius: 6px;
  padding: 0.35rem 0.6rem;
}

button {
  cursor: pointer;
}

button:hover {
  border-color: var(--accent);
}

button:disabled {
  opacity: 0.6;
  cursor: default;
}

.primary {
  background: var(--accent);
  border-color: var(--accent);
  color: var(--accent-text);
  font-weight: 600;
  padding-inline: 1.2rem;
}

.quiet {
  font-size: 0.85rem;
  padding: 0.2rem 0.6rem;
}

textarea {
  display: block;
  width: 100%;
  field-sizing: content;
  min-height: 2.4rem;
  max-height: 14rem;
  resize: vertical;
  white-space: pre-wrap;
  overflow: auto;
  font-family: var(--mono);
  font-size: 0.82rem;
  background: var(--sunk);
}

input[type="number"] {
  width: 6.5rem;
}

input[type="checkbox"] {
  accent-color: var(--accent);
}

label {
  font-size: 0.8rem;
  color: var(--soft);
}

.field {
  display: flex;
  flex-direction: column;
  gap: 0.2rem;
}

.field.beside {
  flex-direction: row;
  align-items: center;
  gap: 0.5rem;
}

.hint {
  font-size: 0.8rem;
  color: var(--soft);
}

/* Page */

.skip {
  position: absolute;
  left: -100vw;
}

.skip:focus {
  left: 0.5rem;
  top: 0.5rem;
  padding: 0.4rem 0.8rem;
  background: var(--card);
}

.top {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  justify-content: space-between;
  gap: 0.5rem 1.5rem;
  padding: 0.7rem 1.25rem;
  background: var(--card);
  border-bottom: 1px solid var(--line);
}

.brand,
.links,
.title,
.send,
.tools,
.heading,
.bar-form {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  gap: 0.6rem;
}

.brand svg {
  width: 1.6rem;
  height: 1.6rem;
  fill: var(--accent);
  stroke: var(--accent-text);
  stroke-width: 2;
  stroke-linecap: round;
}

.brand rect {
  stroke: none;
}

.links {
  gap: 1rem;
  font-size: 0.9rem;
}

.bar-form {
  padding: 0.75rem 1.25rem;
}

.layout {
  display: grid;
  grid-template-columns: 15rem minmax(0, 1fr);
  gap: 1.5rem;
  max-width: 96rem;
  margin: 0 auto;
  padding: 1.25rem;
}

.side h2 {
  font-size: 0.75rem;
  letter-spacing: 0.08em;
  text-transform: uppercase;
  color: var(--soft);
  margin-bottom: 0.5rem;
}

.side ul {
  list-style: none;
  display: flex;
  flex-direction: column;
  gap: 0.25rem;
}

.side li button {
  display: flex;
  align-items: baseline;
  justify-content: space-between;
  gap: 0.75rem;
  width: 100%;
  text-align: left;
  background: none;
  border-color: transparent;
  padding: 0.45rem 0.6rem;
}

.side li button:hover {
  background: var(--sunk);
}

.side li button[aria-current] {
  background: var(--accent-wash);
  font-weight: 600;
}

.side .name {
  overflow-wrap: anywhere;
}

.side form {
  display: flex;
  flex-direction: column;
  gap: 0.5rem;
}

.state {
  flex: none;
  max-width: 7rem;
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
  font-size: 0.75rem;
  font-weight: 400;
  color: var(--soft);
}

.dot {
  display: inline-block;
  width: 0.5rem;
  height: 0.5rem;
  margin-right: 0.35rem;
  border-radius: 50%;
  background: currentColor;
}

.dot.good {
  color: var(--good);
}

.dot.mixed {
  color: var(--warm);
}

.dot.bad {
  color: var(--bad);
}

.pill {
  padding: 0.05rem 0.6rem;
  border-radius: 1rem;
  font-size: 0.78rem;
  font-weight: 600;
  white-space: nowrap;
  background: var(--sunk);
  color: var(--soft);
}

.pill.good {
  background: var(--good-wash);
  color: var(--good);
}

.pill.bad {
  background: var(--bad-wash);
  color: var(--bad);
}

.problem {
  padding: 0.6rem 0.9rem;
  border-left: 3px solid var(--bad);
  border-radius: 0 6px 6px 0;
  background: var(--bad-wash);
  color: var(--bad);
  overflow-wrap: anywhere;
  white-space: pre-wrap;
}

body > .problem {
  margin: 1rem 1.25rem 0;
}

/* A model */

.model {
  display: flex;
  flex-direction: column;
  gap: 0.6rem;
  margin-bottom: 1.25rem;
}

.title .field {
  margin-left: auto;
}

.facts {
  display: flex;
  flex-wrap: wrap;
  align-items: baseline;
  gap: 0.4rem 2rem;
}

.facts p {
  display: flex;
  flex-wrap: wrap;
  align-items: baseline;
  gap: 0.3rem 0.7rem;
}

.signature {
  color: var(--soft);
  font-weight: 400;
}

.columns {
  display: grid;
  grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
  align-items: start;
  gap: 1.25rem;
}

form[aria-label="Request"],
.answer,
.answer > div {
  display: flex;
  flex-direction: column;
  gap: 1rem;
}

form[aria-label="Request"],
.answer {
  padding: 1.1rem;
  background: var(--card);
  border: 1px solid var(--line);
  border-radius: 10px;
}

fieldset {
  min-width: 0;
  border: 0;
}

.tensor {
  display: flex;
  flex-direction: column;
  gap: 0.6rem;
}

.tensor + .tensor {
  padding-top: 1rem;
  border-top: 1px solid var(--line);
}

legend {
  padding: 0;
  font-weight: 600;
  overflow-wrap: anywhere;
}

/* A floating legend stands below the line between two tensors, not on it. */
.tensor legend {
  float: left;
}

.controls {
  display: flex;
  flex-wrap: wrap;
  gap: 0.75rem;
}

.choices legend {
  font-size: 0.8rem;
  font-weight: 400;
  color: var(--soft);
  margin-bottom: 0.2rem;
}

.choice {
  display: inline-flex;
  align-items: center;
  gap: 0.4rem;
  margin-right: 1.2rem;
  color: var(--text);
  font-family: var(--mono);
  overflow-wrap: anywhere;
}

summary {
  cursor: pointer;
  font-size: 0.8rem;
  color: var(--soft);
}

pre {
  margin: 0.5rem 0;
  padding: 0.75rem;
  max-height: 16rem;
  overflow: auto;
  border: 1px solid var(--line);
  border-radius: 6px;
  background: var(--sunk);
  font-size: 0.8rem;
  line-height: 1.45;
  white-space: pre-wrap;
  overflow-wrap: anywhere;
}

/* An answer */

.time {
  font-size: 1.25rem;
  font-weight: 600;
  font-variant-numeric: tabular-nums;
}

.output {
  display: flex;
  flex-direction: column;
  gap: 0.6rem;
}

.figures {
  display: flex;
  flex-wrap: wrap;
  gap: 0.3rem 1.5rem;
}

.figures div {
  display: flex;
  align-items: baseline;
  gap: 0.4rem;
}

dt {
  font-size: 0.8rem;
  color: var(--soft);
}

.scalar {
  font-size: 1.6rem;
  overflow-wrap: anywhere;
}

table {
  border-collapse: collapse;
  font-variant-numeric: tabular-nums;
}

th {
  font-weight: 400;
  color: var(--soft);
}

.bars {
  width: 100%;
}

.bars th,
.bars td {
  padding: 0.1rem 0.75rem 0.1rem 0;
  text-align: right;
  white-space: nowrap;
}

.bars td:last-child {
  overflow-wrap: anywhere;
}

.bars td:nth-child(2):last-child {
  width: 100%;
  text-align: left;
  white-space: pre-wrap;
}

.bars .track {
  width: 100%;
  padding-right: 0;
}

.bar {
  display: block;
  height: 0.7rem;
  min-width: 1px;
  margin-left: calc(var(--from, 0) * 100%);
  width: calc(var(--size, 0) * 100%);
  border-radius: 2px;
  background: var(--accent);
  opacity: 0.45;
}

.greatest {
  font-weight: 600;
}

.greatest .bar {
  opacity: 1;
}

.scrolling {
  overflow-x: auto;
}

.heat th,
.heat td {
  padding: 0.15rem 0.5rem;
  text-align: right;
  white-space: pre;
}

.heat tbody td {
  border: 1px solid var(--card);
  background: color-mix(in srgb, var(--accent) calc(var(--heat, 0%) * 0.45), var(--sunk));
}

/* A long request and a long answer are looked at side by side. */
@media (min-width: 60.01rem) {
  .answer {
    position: sticky;
    top: 1.25rem;
    max-height: calc(100vh - 2.5rem);
    overflow: auto;
  }
}

@media (max-width: 60rem) {
  .columns {
    grid-template-columns: minmax(0, 1fr);
  }
}

@media (max-width: 44rem) {
  .layout {
    grid-template-columns: minmax(0, 1fr);
    gap: 1rem;
    padding: 1rem;
  }

  .side ul {
    flex-direction: row;
    flex-wrap: wrap;
  }

  .side li button {
    background: var(--card);
    border-color: var(--line);
  }

  .title .field {
    margin-left: 0;
  }
}

@media (prefers-reduced-motion: no-preference) {
  .bar {
    transition: width 0.2s;
  }
}

/* Last, so that it goes before every other display. */
body [hidden] {
  display: none;
}
</style>
  </head>
  <body>
    <a id="skip" class="skip" href="#model">Skip to the model</a>
    <header class="top">
      <div class="brand">
        <svg viewBox="0 0 16 16" aria-hidden="true"><rect width="16" height="16" rx="4" /><path d="M4 12V8M8 12V4M12 12V6" /></svg>
        <h1 id="server">model-server</h1>
        <span id="server-version" class="hint"></span>
        <span id="readiness" class="pill" role="status">asking…</span>
      </div>
      <nav class="links" aria-label="Server">
        <a href="openapi.json">OpenAPI</a>
        <a href="metrics">Metrics</a>
        <button id="refresh" type="button" class="quiet">Refresh</button>
      </nav>
    </header>
    <p id="problem" class="problem" role="alert" hidden></p>
    <form id="token-form" class="bar-form" hidden>
      <label for="token">Bearer token</label>
      <input id="token" type="password" autocomplete="off" spellcheck="false" />
      <button type="submit" class="primary">Use</button>
      <span class="hint">kept in this page's memory only</span>
    </form>
    <div class="layout">
      <nav class="side" aria-label="Models">
        <h2>Models</h2>
        <ul id="models"></ul>
        <form id="name-form" hidden>
          <label for="name">This server does not list its models. Name of a model:</label>
          <input id="name" type="text" autocomplete="off" spellcheck="false" />
          <button type="submit">Open</button>
        </form>
      </nav>
      <main id="model" tabindex="-1"><noscript>This page needs JavaScript.</noscript></main>
    </div>
    <script>
"use strict";
(() => {
  // client.ts
  var ServerError = class extends Error {
    name = "ServerError";
    status;
    constructor(status, message) {
      super(message);
      this.status = status;
    }
  };
  function modelPath(model, version2, action = "") {
    const versions = version2 === void 0 ? "" : \`/versions/\${encodeURIComponent(version2)}\`;
    return \`v2/models/\${encodeURIComponent(model)}\${versions}\${action}\`;
  }
  var Client = class {
    /** A bearer token. It stays in memory. */
    token = "";
    async send(path, init = {}) {
      const headers = new Headers(init.headers);
      if (this.token !== "") headers.set("authorization", \`Bearer \${this.token}\`);
      const start = performance.now();
      const response = await fetch(new URL(path, document.baseURI), { ...init, headers, cache: "no-store" });
      const text = await response.text();
      return { status: response.status, text, milliseconds: performance.now() - start };
    }
    /** @throws ServerError when the status is no success */
    async json(path, init = {}) {
      const answer = await this.send(path, init);
      if (answer.status !== 200) throw new ServerError(answer.status, errorMessage(answer.text));
      return JSON.parse(answer.text);
    }
    /** Whether a health question is answered with yes. */
    async isReady(path) {
      return (await this.send(path)).status === 200;
    }
    server() {
      return this.json("v2");
    }
    index() {
      return this.json("v2/repository/index", { method: "POST", body: "{}", headers: JSON_BODY });
    }
    model(model, version2) {
      return this.json(modelPath(model, version2));
    }
    infer(model, version2, body, signal) {
      return this.send(modelPath(model, version2, "/infer"), { method: "POST", body, headers: JSON_BODY, signal });
    }
  };
  var JSON_BODY = { "content-type": "application/json" };
  function errorMessage(text) {
    try {
      const { error } = JSON.parse(text);
      return typeof error === "string" ? error : text;
    } catch {
      return text.trim() === "" ? "(no message)" : text;
    }
  }

  // elements.ts
  function element(tag, properties = {}, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }
  function byId(id, kind) {
    const found = document.getElementById(id);
    if (found instanceof kind) return found;
    throw new Error(\`the page has no \${kind.name} #\${id}\`);
  }
  var labels = 0;
  function labelled(text, control) {
    labels += 1;
    control.id = \`control-\${labels}\`;
    return element("div", { className: "field" }, element("label", { htmlFor: control.id }, text), control);
  }
  function copyButton(label, source) {
    const button = element("button", { type: "button", className: "quiet" }, label);
    button.addEventListener("click", async () => {
      button.textContent = await copyText(source) ? "Copied" : "Selected";
      setTimeout(() => {
        button.textContent = label;
      }, 1500);
    });
    return button;
  }
  async function copyText(source) {
    try {
      await navigator.clipboard.writeText(source.textContent ?? "");
      return true;
    } catch {
      getSelection()?.selectAllChildren(source);
      return false;
    }
  }

  // model-list.ts
  function byModel(entries) {
    const models2 = /* @__PURE__ */ new Map();
    for (const entry of entries) models2.set(entry.name, [...models2.get(entry.name) ?? [], entry]);
    return [...models2].map(([name, versions]) => ({ name, versions })).sort((a, b) => a.name.localeCompare(b.name, void 0, { numeric: true }));
  }
  function modelList(models2, open2, choose) {
    return models2.map(({ name, versions }) => {
      const button = element("button", { type: "button" }, element("span", { className: "name" }, name), state(versions));
      if (name === open2) button.ariaCurrent = "true";
      button.addEventListener("click", () => choose(name));
      return element("li", {}, button);
    });
  }
  function state(versions) {
    const ready = versions.filter((entry) => entry.state === "READY");
    const numbers = ready.map(({ version: version2 }) => version2 ?? "").filter(Boolean);
    const broken = versions.find((entry) => entry.state !== "READY");
    const title2 = versions.map((entry) => \`\${entry.version ?? ""} \${entry.state ?? ""} \${entry.reason ?? ""}\`.trim());
    const className = broken === void 0 ? "dot good" : ready.length > 0 ? "dot mixed" : "dot bad";
    const told = numbers.length > 0 ? \`v\${numbers.join(", ")}\` : (broken?.state ?? "").toLowerCase();
    return element(
      "span",
      { className: "state", title: title2.join("\\n") },
      element("span", { className, ariaHidden: "true" }),
      told
    );
  }

  // answer-data.ts
  function readAnswer(text) {
    const exact = /"U?INT64"/.test(text) ? exactIntegers : void 0;
    const body = JSON.parse(text, exact);
    return {
      model: body.model_name,
      version: body.model_version ?? "",
      outputs: body.outputs.map(({ name, datatype, shape, data }) => ({
        name,
        datatype,
        shape,
        data: data.flat(Number.POSITIVE_INFINITY)
      }))
    };
  }
  function exactIntegers(_key, value, context) {
    const isRounded = typeof value === "number" && !Number.isSafeInteger(value) && context?.source !== void 0;
    return isRounded && /^-?\\d+$/.test(context.source) ? BigInt(context.source) : value;
  }
  function numbersOf({ datatype, data }) {
    return datatype === "BYTES" || datatype === "BOOL" ? void 0 : data.map(Number);
  }
  function lookOf(shape, size) {
    if (size === 0) return { kind: "empty" };
    const first = shape.findIndex((dimension) => dimension !== 1);
    if (first === -1) return { kind: "scalar" };
    const rest = shape.slice(first);
    if (rest.length === 1) return { kind: "list", size };
    const [rows = 1, columns = 1] = shape.slice(-2);
    const slice = rest.length > 2 ? \`[\${shape.map((_, i) => i < shape.length - 2 ? "0" : ":").join(", ")}]\` : void 0;
    return { kind: "table", rows, columns, slice };
  }
  function summaryOf(numbers) {
    let least = Number.POSITIVE_INFINITY;
    let greatest = Number.NEGATIVE_INFINITY;
    let at = -1;
    let sum = 0;
    let count = 0;
    for (const [index2, number] of numbers.entries()) {
      if (!Number.isFinite(number)) continue;
      if (number < least) least = number;
      if (number > greatest) [greatest, at] = [number, index2];
      sum += number;
      count += 1;
    }
    return count === 0 ? void 0 : { least, mean: sum / count, greatest, at };
  }
  function indexOf(at, shape) {
    const indices = [];
    let rest = at;
    for (const size of shape.toReversed()) {
      indices.unshift(rest % size);
      rest = Math.floor(rest / size);
    }
    const first = Math.max(
      0,
      shape.findIndex((size) => size !== 1)
    );
    const own = indices.slice(first);
    return own.length === 1 ? String(own[0]) : \`[\${own.join(", ")}]\`;
  }
  function formatNumber(value) {
    if (typeof value !== "number" || Number.isInteger(value)) return String(value);
    const size = Math.abs(value);
    return size < 1e-3 || size >= 1e7 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
  }

  // sample-data.ts
  var FILLS = ["random", "zeros", "ones", "counting"];
  var EDITABLE_ELEMENTS = 1e4;
  function elementCount(shape) {
    return shape.reduce((product, size) => product * size, 1);
  }
  function sampleData(datatype, shape, fill, random) {
    let next = 0;
    const element2 = () => sampleElement(datatype, fill, next++, random);
    const nest = (depth) => {
      const size = shape[depth] ?? 1;
      if (depth >= shape.length - 1) return \`[\${Array.from({ length: size }, element2).join(", ")}]\`;
      const rows = Array.from({ length: size }, () => nest(depth + 1));
      return rows.length === 1 ? \`[\${rows[0]}]\` : \`[
\${rows.join(",\\n").replace(/^/gm, "  ")}
]\`;
    };
    return nest(0);
  }
  function sampleElement(datatype, fill, index2, random) {
    const number = fill === "zeros" ? 0 : fill === "ones" ? 1 : fill === "counting" ? index2 : random();
    if (datatype === "BOOL") return String(fill === "random" ? number < 0.5 : number % 2 === 1);
    if (datatype === "BYTES") return fill === "zeros" ? '""' : JSON.stringify(WORDS[wordIndex(fill, number)]);
    if (fill === "random") return datatype.startsWith("FP") ? number.toFixed(4) : String(Math.floor(number * 10));
    return String(datatype.endsWith("INT8") ? number % 128 : number % 2048);
  }
  var WORDS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"];
  function wordIndex(fill, number) {
    return fill === "random" ? Math.floor(number * WORDS.length) : number % WORDS.length;
  }

  // tensor-editor.ts
  var MOST_ELEMENTS = 2e7;
  var EditorError = class extends Error {
    name = "EditorError";
  };
  var TensorEditor = class {
    view;
    #tensor;
    #sizes;
    #anyShape = element("input", { type: "text", placeholder: "1, 2", spellcheck: false });
    #fill = element("select", {}, ...FILLS.map((fill) => element("option", { value: fill }, fill)));
    #data = element("textarea", { rows: 3, spellcheck: false });
    #count = element("p", { className: "hint" });
    /** Whether the data is a person's: then a change of the shape leaves it alone. */
    #edited = false;
    constructor(tensor, onChange) {
      this.#tensor = tensor;
      this.#sizes = tensor.shape.map((size) => sizeInput(size));
      this.#data.name = \`data of \${tensor.name}\`;
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
    read() {
      const { name, datatype } = this.#tensor;
      const shape = this.#shape();
      const written = this.#data.value.trim();
      if (written !== "") return { name, datatype, shape, data: checkedJson(name, written) };
      if (elementCount(shape) > MOST_ELEMENTS) throw new EditorError(\`input '\${name}': too many elements to make here\`);
      return { name, datatype, shape, data: sampleData(datatype, shape, this.#fill.value, Math.random) };
    }
    #shape() {
      const { name, shape } = this.#tensor;
      const words = shape.length > 0 ? this.#sizes.map(({ value }) => value) : this.#anyShape.value.split(/[\\s,]+/).filter(Boolean);
      return words.map((word) => {
        if (/^\\d{1,15}$/.test(word)) return Number(word);
        throw new EditorError(\`input '\${name}': '\${word}' is no size of a dimension\`);
      });
    }
    #refill(replace) {
      if (replace) this.#edited = false;
      let count;
      try {
        count = elementCount(this.#shape());
      } catch (error) {
        this.#count.textContent = error instanceof EditorError ? error.message : String(error);
        return;
      }
      const shown = count <= EDITABLE_ELEMENTS;
      const holds = \`the shape holds \${count === 1 ? "1 value" : \`\${count.toLocaleString("en")} values\`}\`;
      this.#count.textContent = shown ? holds : \`\${holds}, made when sent; write JSON here to send your own\`;
      if (this.#edited) return;
      const { datatype } = this.#tensor;
      this.#data.value = shown ? sampleData(datatype, this.#shape(), this.#fill.value, Math.random) : "";
    }
    #layOut() {
      const { name, datatype, shape } = this.#tensor;
      const legend = element("legend", {}, element("code", {}, name), " ", signature(datatype, shape));
      const dimensions = shape.map((size, index2) => ({ size, index: index2, input: this.#sizes[index2] })).filter(({ size }) => size === -1).map(({ index: index2, input }) => labelled(\`dimension \${index2}\`, input));
      if (shape.length === 0) dimensions.push(labelled("shape (empty: a scalar)", this.#anyShape));
      const controls = element("div", { className: "controls" }, ...dimensions, labelled("fill with", this.#fill));
      const data = labelled("data (JSON, nested or flat)", this.#data);
      return element("fieldset", { className: "tensor" }, legend, controls, data, this.#count);
    }
  };
  function signature(datatype, shape) {
    return element("span", { className: "signature" }, \`\${datatype} [\${shape.join(", ")}]\`);
  }
  function sizeInput(size) {
    return element("input", { type: "number", min: "0", step: "1", value: String(size === -1 ? 1 : size) });
  }
  function checkedJson(input, text) {
    try {
      JSON.parse(text);
      return text;
    } catch (error) {
      throw new EditorError(\`input '\${input}': the data is no JSON: \${error instanceof Error ? error.message : error}\`);
    }
  }

  // output-view.ts
  var LONGEST_LIST = 32;
  var GREATEST_SHOWN = 16;
  var MOST_ROWS = 16;
  var MOST_COLUMNS = 12;
  function outputView(tensor) {
    const numbers = numbersOf(tensor);
    const title2 = element("h4", {}, element("code", {}, tensor.name), " ", signature(tensor.datatype, tensor.shape));
    return element(
      "section",
      { className: "output" },
      title2,
      ...figures(numbers, tensor.shape),
      ...values(tensor, numbers)
    );
  }
  function figures(numbers, shape) {
    const summary = numbers === void 0 || numbers.length < 2 ? void 0 : summaryOf(numbers);
    if (summary === void 0) return [];
    const figure = (name, value) => element("div", {}, element("dt", {}, name), element("dd", {}, value));
    const { least, mean, greatest, at } = summary;
    return [
      element(
        "dl",
        { className: "figures" },
        figure("min", formatNumber(least)),
        figure("mean", formatNumber(mean)),
        figure("max", formatNumber(greatest)),
        figure("argmax", indexOf(at, shape))
      )
    ];
  }
  function values(tensor, numbers) {
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
        const what = cut ? \`the first values of \${rows} × \${columns}\` : \`\${rows} × \${columns}\`;
        const told = slice === void 0 ? cut ? [note(what)] : [] : [note(\`\${slice}: \${what}\`)];
        return [scrolling(table(tensor.data, numbers, rows, columns)), ...told];
      }
    }
  }
  function list(data, numbers) {
    const all = [...data.keys()];
    if (data.length <= LONGEST_LIST) return [bars(all, data, numbers)];
    if (numbers === void 0) {
      return [bars(all.slice(0, LONGEST_LIST), data, numbers), note(\`the first \${LONGEST_LIST} of \${data.length}\`)];
    }
    const order = (index2) => Number.isNaN(numbers[index2]) ? Number.NEGATIVE_INFINITY : numbers[index2] ?? 0;
    const greatest = all.sort((a, b) => order(b) - order(a)).slice(0, GREATEST_SHOWN);
    return [bars(greatest, data, numbers), note(\`the \${GREATEST_SHOWN} greatest of \${data.length}\`)];
  }
  function bars(indices, data, numbers) {
    const shown = indices.map((index2) => numbers?.[index2] ?? Number.NaN).filter(Number.isFinite);
    const low = Math.min(0, ...shown);
    const span = Math.max(0, ...shown) - low || 1;
    const greatest = Math.max(...shown);
    const rows = indices.map((index2) => {
      const number = numbers?.[index2];
      const row = element(
        "tr",
        { className: number !== void 0 && number === greatest ? "greatest" : "" },
        element("th", { scope: "row" }, String(index2)),
        element("td", {}, formatNumber(data[index2] ?? ""))
      );
      if (number !== void 0) row.append(element("td", { className: "track" }, bar(number, low, span)));
      return row;
    });
    return element("table", { className: "bars" }, element("tbody", {}, ...rows));
  }
  function bar(number, low, span) {
    const made = element("span", { className: "bar", ariaHidden: "true" });
    if (!Number.isFinite(number)) return made;
    made.style.setProperty("--from", String((Math.min(number, 0) - low) / span));
    made.style.setProperty("--size", String(Math.abs(number) / span));
    return made;
  }
  function table(data, numbers, rows, columns) {
    const shownRows = [...Array(Math.min(rows, MOST_ROWS)).keys()];
    const shownColumns = [...Array(Math.min(columns, MOST_COLUMNS)).keys()];
    const indices = shownRows.flatMap((row) => shownColumns.map((column) => row * columns + column));
    const summary = numbers && summaryOf(indices.map((index2) => numbers[index2] ?? Number.NaN));
    const cell = (index2) => {
      const made = element("td", {}, formatNumber(data[index2] ?? ""));
      const number = numbers?.[index2] ?? Number.NaN;
      if (summary !== void 0 && Number.isFinite(number)) {
        const heat = (number - summary.least) / (summary.greatest - summary.least || 1);
        made.style.setProperty("--heat", \`\${Math.round(heat * 100)}%\`);
      }
      return made;
    };
    const head = element("tr", {}, element("td"), ...shownColumns.map((c) => element("th", { scope: "col" }, String(c))));
    const body = shownRows.map(
      (row) => element(
        "tr",
        {},
        element("th", { scope: "row" }, String(row)),
        ...shownColumns.map((column) => cell(row * columns + column))
      )
    );
    return element("table", { className: "heat" }, element("thead", {}, head), element("tbody", {}, ...body));
  }
  function scrolling(content) {
    return element("div", { className: "scrolling", tabIndex: 0 }, content);
  }
  function note(text) {
    return element("p", { className: "hint" }, text);
  }

  // answer-view.ts
  var LONGEST_RAW = 2e5;
  var TIMES_KEPT = 25;
  var AnswerView = class {
    view = element("section", { className: "answer", ariaLabel: "Answer" });
    #content = element("div", { ariaLive: "polite" });
    #times = [];
    constructor() {
      this.view.append(element("h3", {}, "Answer"), this.#content);
      this.#content.append(element("p", { className: "hint" }, "Send the request to see what the model says."));
    }
    /** What came back, whether good or bad. */
    show(answer) {
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
    showProblem(message) {
      this.#content.replaceChildren(problem(message));
    }
    #heading({ status, text, milliseconds }) {
      const ok = status === 200;
      const parts = [
        element("span", { className: ok ? "pill good" : "pill bad" }, \`HTTP \${status}\`),
        element("span", { className: "time" }, formatTime(milliseconds)),
        element("span", { className: "hint" }, \`round trip, \${formatSize(new Blob([text]).size)}\`)
      ];
      if (ok && this.#times.length > 1) {
        const told = \`median of \${this.#times.length}: \${formatTime(median(this.#times))}\`;
        parts.push(element("span", { className: "hint" }, told));
      }
      return element("p", { className: "heading" }, ...parts);
    }
  };
  function outputs(text) {
    try {
      return readAnswer(text).outputs.map(outputView);
    } catch (error) {
      return [problem(\`the answer is no inference response: \${error instanceof Error ? error.message : error}\`)];
    }
  }
  function problem(message) {
    return element("p", { className: "problem", role: "alert" }, message);
  }
  function raw(text) {
    const cut = text.length > LONGEST_RAW;
    const content = element("pre", { tabIndex: 0 }, cut ? \`\${text.slice(0, LONGEST_RAW)}…\` : text);
    const tools = element("div", { className: "tools" }, copyButton("Copy", content));
    if (cut)
      tools.append(element("span", { className: "hint" }, \`the first \${LONGEST_RAW} of \${text.length} characters\`));
    return element("details", {}, element("summary", {}, "JSON"), content, tools);
  }
  function formatTime(milliseconds) {
    return \`\${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms\`;
  }
  function formatSize(bytes) {
    return bytes < 1e3 ? \`\${bytes} bytes\` : \`\${(bytes / 1e3).toFixed(1)} kB\`;
  }
  function median(numbers) {
    const sorted = [...numbers].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 === 1 ? sorted[middle] ?? 0 : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
  }

  // request-text.ts
  function requestText(inputs, outputs2) {
    const tensors2 = inputs.map(({ name, datatype, shape, data }) => {
      const head = \`"name": \${JSON.stringify(name)}, "datatype": \${JSON.stringify(datatype)}\`;
      return \`    {\${head}, "shape": \${JSON.stringify(shape)}, "data": \${data.trim().replace(/\\n/g, "\\n    ")}}\`;
    });
    const wanted = outputs2.length === 0 ? "" : \`,
  "outputs": \${JSON.stringify(outputs2.map((name) => ({ name })))}\`;
    return \`{
  "inputs": [
\${tensors2.join(",\\n")}
  ]\${wanted}
}\`;
  }
  var LONGEST_INLINE_BODY = 4e3;
  function curlText(url, body, withToken) {
    const data = body.length > LONGEST_INLINE_BODY ? "@request.json" : quoted(body);
    const token = withToken ? \`  --header "Authorization: Bearer $TOKEN" \\\\
\` : "";
    const headers = \`  --header 'Content-Type: application/json' \\\\
\${token}\`;
    return \`curl \${quoted(url)} \\\\
\${headers}  --data-binary \${data}\`;
  }
  function quoted(word) {
    return \`'\${word.replaceAll("'", "'\\\\''")}'\`;
  }

  // request-form.ts
  var RequestForm = class {
    view;
    #editors;
    #outputs;
    #button = element("button", { type: "submit", className: "primary" }, "Send");
    #cancel = element("button", { type: "button", hidden: true }, "Cancel");
    #curl = element("pre", { tabIndex: 0 });
    #save = element("button", { type: "button", className: "quiet", hidden: true }, "Save request.json");
    #url;
    #client;
    #drawn = 0;
    constructor(client2, model, version2, events) {
      this.#client = client2;
      this.#url = new URL(modelPath(model.name, version2, "/infer"), document.baseURI).href;
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
    set busy(busy) {
      this.#button.disabled = busy;
      this.#button.textContent = busy ? "Sending…" : "Send";
      this.#cancel.hidden = !busy;
    }
    #body() {
      const wanted = this.#outputs.filter(({ checked }) => checked).map(({ value }) => value);
      const inputs = this.#editors.map((editor) => editor.read());
      return requestText(inputs, wanted.length === this.#outputs.length ? [] : wanted);
    }
    #read(use, refuse) {
      try {
        use(this.#body());
      } catch (error) {
        if (!(error instanceof EditorError)) throw error;
        refuse(error.message);
      }
    }
    /** Writes the curl command anew, once for all that changes in a frame. */
    #draw() {
      cancelAnimationFrame(this.#drawn);
      this.#drawn = requestAnimationFrame(() => {
        this.#read(
          (body) => {
            this.#curl.textContent = curlText(this.#url, body, this.#client.token !== "");
            this.#save.hidden = body.length <= LONGEST_INLINE_BODY;
          },
          (message) => {
            this.#curl.textContent = \`# \${message}\`;
            this.#save.hidden = true;
          }
        );
      });
    }
    #saveRequest(refuse) {
      this.#read((body) => {
        const url = URL.createObjectURL(new Blob([body], { type: "application/json" }));
        element("a", { href: url, download: "request.json" }).click();
        setTimeout(() => URL.revokeObjectURL(url), 1e3);
      }, refuse);
    }
    #layOut() {
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
        command
      );
    }
    #outputChoice() {
      if (this.#outputs.length < 2) return [];
      const choices = this.#outputs.map((box) => element("label", { className: "choice" }, box, box.value));
      const fieldset = element("fieldset", { className: "choices" }, element("legend", {}, "Outputs wanted"), ...choices);
      fieldset.addEventListener("input", () => this.#draw());
      return [fieldset];
    }
  };

  // model-view.ts
  async function askModel(client2, name, version2) {
    const [metadata, ready] = await Promise.all([
      client2.model(name, version2),
      client2.isReady(modelPath(name, version2, "/ready"))
    ]);
    const versions = version2 === void 0 ? metadata.versions : (await client2.model(name, void 0)).versions;
    return { metadata, versions, version: version2, ready };
  }
  function modelView(client2, model, choose) {
    const answers = new AnswerView();
    let running;
    const form = new RequestForm(client2, model.metadata, model.version, {
      refuse: (message) => answers.showProblem(message),
      cancel: () => running?.abort(),
      send: async (body) => {
        if (running !== void 0) return;
        running = new AbortController();
        form.busy = true;
        try {
          answers.show(await client2.infer(model.metadata.name, model.version, body, running.signal));
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error);
          answers.showProblem(running.signal.aborted ? "cancelled" : \`no answer came: \${reason}\`);
        } finally {
          running = void 0;
          form.busy = false;
        }
      }
    });
    return [heading(model, choose), element("div", { className: "columns" }, form.view, answers.view)];
  }
  function heading(model, choose) {
    const { metadata, ready } = model;
    const title2 = element("h2", {}, metadata.name);
    const pill = element("span", { className: ready ? "pill good" : "pill bad" }, ready ? "ready" : "not ready");
    const row = element("div", { className: "title" }, title2, pill, versionChoice(model, choose));
    const facts = element(
      "div",
      { className: "facts" },
      tensors("takes", metadata.inputs),
      tensors("gives", metadata.outputs),
      element("p", {}, element("span", { className: "hint" }, "platform"), element("code", {}, metadata.platform))
    );
    return element("header", { className: "model" }, row, facts);
  }
  function versionChoice({ versions, version: version2 }, choose) {
    const options = versions.map((name) => element("option", { value: name }, name));
    const select = element("select", {}, element("option", { value: "" }, "default"), ...options);
    select.value = version2 ?? "";
    select.addEventListener("input", () => choose(select.value === "" ? void 0 : select.value));
    const field = labelled("version", select);
    field.classList.add("beside");
    return field;
  }
  function tensors(verb, list2) {
    const items = list2.map(
      ({ name, datatype, shape }) => element("span", { className: "fact" }, element("code", {}, name), " ", signature(datatype, shape))
    );
    return element("p", {}, element("span", { className: "hint" }, verb), ...items);
  }

  // main.ts
  var client = new Client();
  var title = byId("server", HTMLElement);
  var version = byId("server-version", HTMLElement);
  var readiness = byId("readiness", HTMLElement);
  var problem2 = byId("problem", HTMLElement);
  var models = byId("models", HTMLUListElement);
  var main = byId("model", HTMLElement);
  var tokenForm = byId("token-form", HTMLFormElement);
  var tokenField = byId("token", HTMLInputElement);
  var nameForm = byId("name-form", HTMLFormElement);
  var nameField = byId("name", HTMLInputElement);
  var listed = [];
  var opened = 0;
  function address() {
    const words = new URLSearchParams(location.hash.slice(1));
    return { model: words.get("model") || void 0, version: words.get("version") || void 0 };
  }
  function go(model, version2) {
    location.hash = new URLSearchParams({ model, ...version2 === void 0 ? {} : { version: version2 } }).toString();
  }
  function report(error) {
    const unauthorized = error instanceof ServerError && error.status === 401;
    tokenForm.hidden = !unauthorized && client.token === "";
    if (unauthorized) tokenField.focus();
    const message = error instanceof Error ? error.message : String(error);
    problem2.textContent = error instanceof ServerError ? \`HTTP \${error.status}: \${message}\` : \`no answer: \${message}\`;
    problem2.hidden = false;
  }
  async function attempt(work) {
    try {
      problem2.hidden = true;
      await work();
    } catch (error) {
      report(error);
    }
  }
  async function refresh() {
    const ready = await client.isReady("v2/health/ready");
    readiness.textContent = ready ? "ready" : "not ready";
    readiness.className = ready ? "pill good" : "pill bad";
    const server = await client.server();
    title.textContent = server.name;
    version.textContent = server.version;
    document.title = server.name;
    listed = byModel(await index());
    tokenForm.hidden = client.token === "";
    const first = listed.find(({ versions }) => versions.some(({ state: state2 }) => state2 === "READY")) ?? listed[0];
    if (address().model === void 0 && first !== void 0) {
      history.replaceState(null, "", \`#\${new URLSearchParams({ model: first.name })}\`);
    }
    await open();
  }
  async function index() {
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
  async function open() {
    opened += 1;
    const mine = opened;
    const { model, version: version2 } = address();
    models.replaceChildren(...modelList(listed, model, go));
    if (model === void 0) {
      const empty = nameForm.hidden ? "This server has no models." : "Type the name of a model to open it.";
      main.replaceChildren(element("p", { className: "hint" }, empty));
      return;
    }
    main.ariaBusy = "true";
    try {
      const view = modelView(client, await askModel(client, model, version2), (chosen) => go(model, chosen));
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
    event.preventDefault();
    main.focus();
  });
  byId("refresh", HTMLButtonElement).addEventListener("click", () => void attempt(refresh));
  addEventListener("hashchange", () => void attempt(open));
  void attempt(refresh);
})();
</script>
  </body>
</html>
`;

// needs: chromium
import { execFileSync } from "node:child_process";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { launchBrowser, openPage, type WatchedPage } from "./browser.ts";
import { openProxy, refuse } from "./console-proxy.ts";
import { identityModel, onnxFile } from "./onnx-file.ts";
import { ServerProcess } from "./server-process.ts";

const MARKUP = '<img src=x onerror="document.title=`harm`">';

/** Two inputs of shape [n, 2] and what an operator makes of them. */
function pairModel(operator: string, output: string): Buffer {
  const value = (name: string) => ({ name, type: "FP32", shape: ["n", 2] }) as const;
  return onnxFile({
    nodes: [{ operator, inputs: ["a", "b"], outputs: [output] }],
    inputs: [value("a"), value("b")],
    outputs: [value(output)],
  });
}

let server: ServerProcess;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([
    ServerProcess.serving({
      "arithmetic/1/model.onnx": pairModel("Add", "sum"),
      "arithmetic/2/model.onnx": pairModel("Mul", "product"),
      "large/1/model.onnx": identityModel([{ name: "x", type: "FP32", shape: [3, 224, 224] }]),
      "types/1/model.onnx": identityModel([
        { name: "whole", type: "INT64", shape: ["n"] },
        { name: "text", type: "BYTES", shape: ["n"] },
      ]),
      [`${MARKUP}/1/model.onnx`]: identityModel([{ name: "<b>x</b>", type: "FP32", shape: [2] }]),
    }),
    launchBrowser(),
  ]);
});

afterAll(() => Promise.all([server.stop(), browser.close()]));

/** The console at a model; after the test it must have asked nobody else, and broken no policy. */
async function open(model?: string, url = server.url, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const hash = model === undefined ? "" : `#${new URLSearchParams({ model })}`;
  const watched = await openPage(browser, `${url}/${hash}`, options);
  onTestFinished(() => {
    expect(watched.requests.filter((request) => !request.includes(` ${url}/`))).toEqual([]);
    expect(watched.faults).toEqual([]);
  });
  return watched;
}

function input(page: Page, name: string): Locator {
  return page.getByRole("group", { name });
}

async function write(page: Page, name: string, data: string): Promise<void> {
  await input(page, name).getByLabel("data").fill(data);
}

const answerOf = (page: Page) => page.getByRole("region", { name: "Answer" });
const send = (page: Page) => page.getByRole("button", { name: "Send", exact: true }).click();

/** The rows of an output's table, once it is there. */
async function rows(page: Page): Promise<string[]> {
  await answerOf(page).locator("table").first().waitFor();
  return answerOf(page).locator("tbody tr").allInnerTexts();
}

test("lists the models with their versions, and opens the first", async () => {
  const { page } = await open();
  await page.getByRole("form", { name: "Request" }).waitFor();
  const names = await page.getByRole("navigation", { name: "Models" }).getByRole("button").allInnerTexts();
  expect(names.map((text) => text.replace(/\s+/g, " "))).toEqual(
    expect.arrayContaining(["arithmetic v1, 2", "large v1", "types v1"]),
  );
  expect(await page.getByRole("status").first().innerText()).toBe("ready");
  await page.getByRole("button", { name: "arithmetic" }).click();
  await page.getByRole("heading", { name: "arithmetic" }).waitFor();
});

test("sends the request that it built, and shows the right answer with its time", async () => {
  const { page, requests } = await open("arithmetic");
  await write(page, "a", "[[1.5, 2]]");
  await write(page, "b", "[10, 20]");
  const sent = page.waitForRequest(/\/infer$/);
  await send(page);
  expect((await sent).postDataJSON()).toEqual({
    inputs: [
      { name: "a", datatype: "FP32", shape: [1, 2], data: [[1.5, 2]] },
      { name: "b", datatype: "FP32", shape: [1, 2], data: [10, 20] },
    ],
  });
  expect(await rows(page)).toEqual([expect.stringMatching(/^0\s+15\b/), expect.stringMatching(/^1\s+40\b/)]);
  expect(await answerOf(page).innerText()).toMatch(/HTTP 200\s+\d+(\.\d)? ms/);
  expect(requests).toContain(`POST ${server.url}/v2/models/arithmetic/infer`);
});

test("asks the version that was chosen", async () => {
  const { page, requests } = await open("arithmetic");
  await page.getByLabel("version").selectOption("1");
  await answerOf(page).waitFor();
  await page.waitForFunction("document.querySelector('.model')?.textContent.includes('sum')");
  await write(page, "a", "[1.5, 2]");
  await write(page, "b", "[10, 20]");
  await send(page);
  expect(await rows(page)).toEqual([expect.stringMatching(/^0\s+11\.5\b/), expect.stringMatching(/^1\s+22\b/)]);
  expect(requests.at(-1)).toBe(`POST ${server.url}/v2/models/arithmetic/versions/1/infer`);
});

test("makes values for the shape that is asked for, and leaves a person's own alone", async () => {
  const { page } = await open("arithmetic");
  const data = input(page, "a").getByLabel("data");
  await input(page, "a").getByLabel("dimension 0").fill("3");
  await input(page, "a").getByLabel("fill with").selectOption("counting");
  expect(JSON.parse(await data.inputValue())).toEqual([
    [0, 1],
    [2, 3],
    [4, 5],
  ]);
  await data.fill("[[7, 7]]");
  await input(page, "a").getByLabel("dimension 0").fill("1");
  expect(await data.inputValue()).toBe("[[7, 7]]");
});

test("shows a refusal in the server's own words", async () => {
  const { page } = await open("arithmetic");
  await write(page, "a", "[[1, 2]]");
  await input(page, "a").getByLabel("dimension 0").fill("3");
  const refused = page.waitForResponse(/\/infer$/);
  await send(page);
  const { error } = (await (await refused).json()) as { error: string };
  expect(await answerOf(page).getByRole("alert").innerText()).toBe(error);
  expect(error).toContain("[3,2]");
  expect(await answerOf(page).innerText()).toContain("HTTP 400");
});

test("offers no dimension of 0, and sends one that is written for the server to judge", async () => {
  const { page } = await open("arithmetic");
  const size = input(page, "a").getByLabel("dimension 0");
  await size.press("ArrowDown");
  expect(await size.inputValue()).toBe("1");
  await size.fill("0");
  await send(page);
  const told = answerOf(page).getByRole("alert").getByText("this model takes no tensor without elements");
  await told.waitFor();
});

test("sends nothing that is no JSON, and says which input it is in", async () => {
  const { page, requests } = await open("arithmetic");
  await write(page, "a", "[[1, 2]");
  await send(page);
  expect(await answerOf(page).getByRole("alert").innerText()).toContain("input 'a': the data is no JSON");
  expect(requests.filter((request) => request.startsWith("POST") && request.endsWith("/infer"))).toEqual([]);
});

test("keeps 64-bit whole numbers to the last digit, and markup in data as text", async () => {
  const { page } = await open("types");
  await write(page, "whole", "[9007199254740993]");
  await write(page, "text", JSON.stringify([MARKUP]));
  await send(page);
  await answerOf(page).locator(".scalar").first().waitFor();
  expect(await answerOf(page).locator(".scalar").allInnerTexts()).toEqual(["9007199254740993", MARKUP]);
});

test("a model and a tensor whose names hold markup do no harm", async () => {
  const { page } = await open(MARKUP);
  await page.getByRole("heading", { name: MARKUP }).waitFor();
  await send(page);
  await rows(page);
  expect(await page.locator("img, main b").count()).toBe(0);
  expect(await page.title()).toBe("model-server");
});

test("makes a tensor too large to edit when it is sent", async () => {
  const { page } = await open("large");
  await input(page, "x").getByText("150,528 values, made when sent").waitFor();
  await send(page);
  await answerOf(page).getByText("[0, :, :]: the first values of 224 × 224").waitFor();
});

test("gives a curl command that sends the same request", async () => {
  const { page } = await open("arithmetic");
  await write(page, "a", "[[1.5, 2]]");
  await write(page, "b", "[10, 20]");
  const command = page.locator("form pre").filter({ hasText: "[10, 20]" }).filter({ hasText: "1.5" });
  const words = shellWords((await command.textContent()) ?? "");
  expect(words[0]).toBe(`${server.url}/v2/models/arithmetic/infer`);
  const response = await fetch(words[0] ?? "", {
    method: "POST",
    body: words[words.indexOf("--data-binary") + 1] ?? "",
  });
  expect(await response.json()).toMatchObject({ outputs: [{ name: "product", data: [15, 40] }] });
});

test("quotes a name for the shell", async () => {
  const quote = `it's "$(echo harm)"`;
  const { page } = await open("types");
  await write(page, "text", JSON.stringify([quote]));
  const command = page.locator("form pre").filter({ hasText: "echo harm" });
  const body = shellWords((await command.textContent()) ?? "").at(-1) ?? "";
  expect(JSON.parse(body)).toMatchObject({ inputs: [{}, { data: [quote] }] });
});

/** What a shell gives to `curl` when it runs a command. */
function shellWords(command: string): string[] {
  const script = `curl() { printf '%s\\0' "$@"; }\n${command}`;
  return execFileSync("sh", ["-c", script], { encoding: "utf8" }).split("\0").slice(0, -1);
}

test("asks for a token where the server wants one, and keeps it in memory only", async () => {
  const url = await openProxy(server.url, (request, response) => {
    const open = request.url === "/" || request.url?.startsWith("/v2/health/");
    if (open || request.headers.authorization === "Bearer secret") return false;
    return refuse(response, 401, "a bearer token is needed");
  });
  const { page } = await open("arithmetic", url);
  await page.getByRole("alert").filter({ hasText: "HTTP 401: a bearer token is needed" }).waitFor();
  await page.getByLabel("Bearer token").fill("wrong");
  await page.getByRole("button", { name: "Use" }).click();
  await page.waitForFunction("document.getElementById('token').value === ''");
  await page.getByRole("alert").filter({ hasText: "HTTP 401" }).waitFor();
  await page.getByLabel("Bearer token").fill("secret");
  await page.getByRole("button", { name: "Use" }).click();
  await page.getByRole("form", { name: "Request" }).waitFor();
  await send(page);
  await rows(page);
  expect(await page.locator("form pre").textContent()).toContain('--header "Authorization: Bearer $TOKEN"');
  expect(await page.content()).not.toContain("secret");
  expect(await page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]")).toEqual([0, 0, ""]);
});

test("lets a person type a model's name where the server does not list its models", async () => {
  const url = await openProxy(
    server.url,
    (request, response) => request.url === "/v2/repository/index" && refuse(response, 404, "not here"),
  );
  const { page } = await open(undefined, url);
  await page.getByLabel(/Name of a model/).fill("types");
  await page.getByRole("button", { name: "Open" }).click();
  await page.getByRole("heading", { name: "types" }).waitFor();
});

test("a request that takes too long for its sender can be cancelled", async () => {
  const url = await openProxy(server.url, ({ url: target }) => target?.endsWith("/infer") === true);
  const { page } = await open("arithmetic", url);
  await send(page);
  await page.getByRole("button", { name: "Cancel" }).click();
  await answerOf(page).getByRole("alert").filter({ hasText: "cancelled" }).waitFor();
  await page.getByRole("button", { name: "Send", exact: true }).waitFor();
});

test("is used with the keyboard alone, and every control has a name", async () => {
  const { page } = await open("arithmetic");
  await input(page, "a").getByLabel("data").press("Control+Enter");
  await rows(page);
  const nameless = `[...document.querySelectorAll("input, select, textarea, button")]
    .filter((control) => !control.labels?.length && control.textContent.trim() === "")
    .map(({ outerHTML }) => outerHTML)`;
  expect(await page.evaluate(nameless)).toEqual([]);
});

test.each(["light", "dark"] as const)("fits a narrow screen, and can be read, in %s", async (colorScheme) => {
  const viewport = { width: 360, height: 700 };
  const { page } = await open("arithmetic", server.url, { colorScheme, viewport });
  await write(page, "a", "[1]");
  await send(page);
  await answerOf(page).getByRole("alert").waitFor();
  expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
  for (const part of ["body", ".hint", ".pill.good", ".pill.bad", ".answer .problem", ".primary", "label"]) {
    expect(await page.evaluate(`(${CONTRAST})(${JSON.stringify(part)})`), part).toBeGreaterThanOrEqual(4.5);
  }
});

/** Contrast of an element's text to what is behind it. https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
const CONTRAST = `(selector) => {
  const luminance = (color) => {
    const [red, green, blue] = color.match(/[\\d.]+/g).map((part) => {
      const share = Number(part) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const element = document.querySelector(selector);
  let behind = element;
  while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
  const pair = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor].map(luminance);
  return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
}`;

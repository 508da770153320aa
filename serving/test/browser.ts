import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { onTestFinished } from "vitest";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** A browser of the machine: `CHROMIUM`, or one on PATH. */
function findChromium(): string {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const candidates = [process.env.CHROMIUM ?? "", ...NAMES.flatMap((name) => folders.map((path) => join(path, name)))];
  const found = candidates.find((path) => path !== "" && isExecutable(path));
  if (found !== undefined) return found;
  throw new Error("no Chromium on this machine: install one (Debian: apt-get install chromium), or set CHROMIUM");
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A headless Chromium with a profile of its own, that reaches this machine and nothing else. The caller closes it. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: findChromium(),
    args: [
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ],
  });
}

/** A page, with what it asked for and what went wrong in it. */
export interface WatchedPage {
  readonly page: Page;
  /** Every request, as `POST http://…`. */
  readonly requests: readonly string[];
  /** Violations of its Content Security Policy, and errors of its script. */
  readonly faults: readonly string[];
}

/** Opens an address in a tab of its own, which is closed after the test. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext(options);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const requests: string[] = [];
  const faults: string[] = [];
  page.on("request", (request) => requests.push(`${request.method()} ${request.url()}`));
  page.on("pageerror", (error) => faults.push(error.message));
  await page.exposeFunction("reportViolation", (violation: string) => faults.push(violation));
  await page.addInitScript(REPORT_VIOLATIONS);
  await page.goto(url);
  return { page, requests, faults };
}

const REPORT_VIOLATIONS = `addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  reportViolation(violatedDirective + " forbids " + blockedURI));`;

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

/** The console at `/`, as it is sent. */
export interface ConsolePage {
  /** UTF-8. */
  readonly html: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** The name of the page's file beside the server's own, in the image. */
export const PAGE_FILE = "console.html";

/** The link to the metrics, with the space before it. */
const METRICS_LINK = /\s*<a href="metrics">[^<]*<\/a>/;

let page: Promise<string> | undefined;

/**
 * A page that shows the models, builds a request from their metadata, sends it and shows the answer. It needs nothing
 * from the network but this server. Read when it is first asked for: most servers are never asked.
 *
 * @param hasMetrics whether the metrics are beside it, so that it may link to them
 */
export async function consolePage(hasMetrics: boolean): Promise<ConsolePage> {
  page ??= readPage();
  const whole = await page;
  const html = hasMetrics ? whole : whole.replace(METRICS_LINK, "");
  return { html: Buffer.from(html), headers: headersOf(html) };
}

async function readPage(): Promise<string> {
  try {
    return await readFile(new URL(PAGE_FILE, import.meta.url), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    // This is no image: the page is made from its sources.
    const { buildPage } = await import("./build-page.ts");
    return buildPage();
  }
}

function headersOf(html: string): Readonly<Record<string, string>> {
  return {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": policyOf(html),
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
  };
}

/** Its own script and style run and nothing else, it talks to this server alone, and no string becomes markup. */
function policyOf(html: string): string {
  return [
    "default-src 'none'",
    `script-src '${hashOf("script", html)}'`,
    `style-src '${hashOf("style", html)}'`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}

/** The content of the page's one element of this name. https://www.w3.org/TR/CSP3/#grammardef-hash-source */
function hashOf(element: "script" | "style", html: string): string {
  const start = html.indexOf(`<${element}>`) + element.length + 2;
  const content = html.slice(start, html.indexOf(`</${element}>`, start));
  return `sha256-${createHash("sha256").update(content).digest("base64")}`;
}

/**
 * Makes the page of `browser/` one document: `node serving/src/console/build-page.ts`. Its script and its style stand in
 * it, and their hashes beside it, so that the server's policy lets exactly these run.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const COMMAND = "node serving/src/console/build-page.ts";
const BROWSER = new URL("browser/", import.meta.url);
/** Where the page is kept. */
export const GENERATED = new URL("page.generated.ts", import.meta.url);

/** The text of `page.generated.ts`, made from its sources. Not minified: whoever serves it can read what it does. */
export async function generatePage(): Promise<string> {
  const style = `\n${readFileSync(new URL("page.css", BROWSER), "utf8")}`;
  const script = `\n${await bundleScript()}`;
  if (/<\/(script|style)|<!--/i.test(script + style)) throw new Error("the page's script or style would end early");
  const html = readFileSync(new URL("page.html", BROWSER), "utf8")
    .replace('<link rel="stylesheet" href="page.css" />', () => `<style>${style}</style>`)
    .replace('<script src="main.ts"></script>', () => `<script>${script}</script>`);
  return [
    `// Generated from browser/ by \`${COMMAND}\`; do not edit.`,
    `export const STYLE_HASH = "${hash(style)}";`,
    `export const SCRIPT_HASH = "${hash(script)}";`,
    `export const PAGE = ${templateLiteral(html)};`,
    "",
  ].join("\n");
}

async function bundleScript(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("main.ts", BROWSER))],
    absWorkingDir: fileURLToPath(BROWSER),
    bundle: true,
    write: false,
    format: "iife",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    logLevel: "warning",
  });
  return outputFiles[0]?.text ?? "";
}

/** A source expression of the Content Security Policy. https://www.w3.org/TR/CSP3/#grammardef-hash-source */
function hash(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

/** Line by line as it is, so that a change of the page is a change of its lines. */
function templateLiteral(text: string): string {
  return `\`${text.replace(/[\\`]|\$\{/g, "\\$&")}\``;
}

if (import.meta.main) writeFileSync(GENERATED, await generatePage());

/**
 * Makes the page of `browser/` one document, with its script and its style in it. The image's build does it once; a server
 * that runs from its sources does it when the page is first asked for.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const BROWSER = new URL("browser/", import.meta.url);

/** The document's text. Not minified: whoever serves it can read what it does. */
export async function buildPage(): Promise<string> {
  const style = `\n${readFileSync(new URL("page.css", BROWSER), "utf8")}`;
  const script = `\n${await bundleScript()}`;
  if (/<\/(script|style)|<!--/i.test(script + style)) throw new Error("the page's script or style would end early");
  return readFileSync(new URL("page.html", BROWSER), "utf8")
    .replace('<link rel="stylesheet" href="page.css" />', () => `<style>${style}</style>`)
    .replace('<script src="main.ts"></script>', () => `<script>${script}</script>`);
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

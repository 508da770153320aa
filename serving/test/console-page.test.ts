import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { consolePage } from "../src/console/console-page.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

test("its script has the types that a browser has", () => {
  execFileSync("node_modules/.bin/tsc", ["--noEmit", "--project", "serving/src/console/browser/tsconfig.json"], {
    cwd: ROOT,
    stdio: "inherit",
  });
});

test("its policy lets its own script and style run by their hashes, and nothing else", async () => {
  const { html, headers } = await consolePage(true);
  const text = Buffer.from(html).toString();
  const hashes = [...text.matchAll(/<(?:style|script)>(.*?)<\/(?:style|script)>/gs)].map(
    ([, content = ""]) => `'sha256-${createHash("sha256").update(content).digest("base64")}'`,
  );
  expect(hashes).toHaveLength(2);
  const policy = headers["content-security-policy"] ?? "";
  for (const hash of hashes) expect(policy).toContain(hash);
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|\*/);
});

test("names nothing outside itself but the server's own paths", async () => {
  const text = Buffer.from((await consolePage(true)).html).toString();
  const [head = ""] = text.split("<style>");
  const [, body = ""] = text.split("</style>");
  const addresses = [...(head + body).matchAll(/\b(?:src|href)="([^"]*)"/g)].map(([, address]) => address);
  expect(addresses.filter((address) => !address?.startsWith("data:"))).toEqual(["#model", "openapi.json", "metrics"]);
  expect(text).not.toMatch(/@import|url\(/);
});

test("links to no metrics where they are on another port", async () => {
  const text = Buffer.from((await consolePage(false)).html).toString();
  expect(text).toContain('href="openapi.json"');
  expect(text).not.toContain('href="metrics"');
});

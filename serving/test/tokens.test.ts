import { rmSync, writeFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { createLogger } from "../src/logging/logger.ts";
import { BearerTokens } from "../src/security/tokens.ts";
import { temporaryFolder } from "./server-process.ts";

/** A file of tokens, and what is logged about it. */
async function tokensOf(content: string) {
  const path = `${temporaryFolder({ tokens: content })}/tokens`;
  const lines: string[] = [];
  const tokens = await BearerTokens.load(path, createLogger({ write: (line) => lines.push(line) }));
  onTestFinished(() => tokens.close());
  return { path, lines, tokens };
}

test("lets those pass who bear one of the tokens", async () => {
  const { tokens } = await tokensOf("# the batch job\nabc.DEF-123_~+/==\r\n\n  second  \n");
  for (const authorization of ["Bearer abc.DEF-123_~+/==", "bearer second", "BEARER  second "]) {
    expect(tokens.isAuthorized(authorization), authorization).toBe(true);
  }
  const refused = [
    undefined,
    "",
    "second",
    "Basic second",
    "Bearer",
    "Bearer ",
    "Bearer secon",
    "Bearer second2",
    "Bearer Second",
    "Bearer second second",
    "Bearer # the batch job",
    "Bearer the",
    "Bearer \u{1f600}",
  ];
  for (const authorization of refused) expect(tokens.isAuthorized(authorization), authorization).toBe(false);
});

test.each([
  ["", "holds no token: nobody could use the server"],
  ["# all commented out\n\n", "holds no token"],
  ["good\nnot a token\n", "line 2 of '.*' is no bearer token"],
  ["Bearer abc", "line 1 of '.*' is no bearer token"],
])("refuses a file of %j", async (content, message) => {
  await expect(tokensOf(content)).rejects.toThrow(new RegExp(message));
});

test("an error never tells a token", async () => {
  await expect(tokensOf("hunter2 hunter2")).rejects.toThrow(expect.not.stringContaining("hunter2"));
});

test("says which file is missing", async () => {
  const loading = BearerTokens.load("/nowhere/tokens", createLogger({ level: "silent" }));
  await expect(loading).rejects.toThrow("file of tokens: '/nowhere/tokens' cannot be read: ENOENT");
});

test("takes up a changed file, and keeps the old tokens while it cannot be used", async () => {
  const { path, lines, tokens } = await tokensOf("first");
  await tokens.check();
  expect(lines).toEqual([]);
  writeFileSync(path, "first\nthird");
  await tokens.check();
  expect(tokens.isAuthorized("Bearer third")).toBe(true);
  writeFileSync(path, "");
  await tokens.check();
  rmSync(path);
  await tokens.check();
  await tokens.check();
  expect(tokens.isAuthorized("Bearer third")).toBe(true);
  writeFileSync(path, "fourth");
  await tokens.check();
  expect(["first", "third", "fourth"].map((token) => tokens.isAuthorized(`Bearer ${token}`))).toEqual([
    false,
    false,
    true,
  ]);
  const entries = lines.map((line) => JSON.parse(line) as { level: string; message: string });
  expect(entries.map(({ level, message }) => `${level}: ${message}`)).toEqual([
    "info: file of tokens changed, read again",
    "warn: file of tokens changed, but cannot be used: the old one stays",
    "warn: file of tokens changed, but cannot be used: the old one stays",
    "info: file of tokens changed, read again",
  ]);
  expect(lines.join("")).not.toMatch(/first|third|fourth/);
});

test("looks at the file by itself", async () => {
  const path = `${temporaryFolder({ tokens: "old" })}/tokens`;
  const tokens = await BearerTokens.load(path, createLogger({ level: "silent" }), 10);
  onTestFinished(() => tokens.close());
  writeFileSync(path, "replaced");
  await expect.poll(() => tokens.isAuthorized("Bearer replaced")).toBe(true);
});

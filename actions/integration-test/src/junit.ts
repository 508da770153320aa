import { type Check, suites } from "./check.ts";

/**
 * The checks as JUnit XML, as test reporters read it: a failed check is a `failure`, an unclear one an `error`.
 * Names and messages are escaped, and characters that XML 1.0 forbids (section 2.2) are left out.
 */
export function junitXml(name: string, checks: readonly Check[]): string {
  const parts = suites
    .map((suite) => ({ suite, of: checks.filter((check) => check.suite === suite) }))
    .filter(({ of }) => of.length > 0)
    .map(({ suite, of }) => `  <testsuite ${counts(suite, of)}>\n${of.map(testCase).join("")}  </testsuite>\n`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${counts(name, checks)}>\n${parts.join("")}</testsuites>\n`;
}

function counts(name: string, checks: readonly Check[]): string {
  const of = (verdict: Check["verdict"]) => checks.filter((check) => check.verdict === verdict).length;
  const time = checks.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(3);
  return `name="${escapeXml(name)}" tests="${checks.length}" failures="${of("fail")}" errors="${of("inconclusive")}" time="${time}"`;
}

function testCase({ suite, name, verdict, message, seconds }: Check): string {
  const head = `    <testcase classname="${escapeXml(suite)}" name="${escapeXml(name)}" time="${seconds.toFixed(3)}"`;
  if (verdict === "pass") return `${head}/>\n`;
  const element = verdict === "fail" ? "failure" : "error";
  return `${head}>\n      <${element} message="${escapeXml(message)}"/>\n    </testcase>\n`;
}

function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replace(forbidden, "")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&apos;")
    .replace(/[\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

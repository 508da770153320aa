/**
 * Markdown for step summaries. Every function escapes the text it is given: names, tool output and error messages come
 * from images, clusters and models, and must not become markup, links, images or mentions.
 */

/** Text without any markup of its own. Line breaks become spaces. */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/[\r\n]+/g, " ")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replace(/[\\`*_{}[\]()#|!~]/g, (character) => `\\${character}`)
    .replaceAll("@", "@\u200b")
    .replace(/\b(https?|ftp|www)(?=[:.])/g, "$1\u200b");
}

export function heading(level: 1 | 2 | 3 | 4, text: string): string {
  return `${"#".repeat(level)} ${escapeMarkdown(text)}\n\n`;
}

export function paragraph(text: string): string {
  return `${escapeMarkdown(text)}\n\n`;
}

/** A value in monospace, such as a digest. HTML, since a backtick inside cannot end it. */
export function code(text: string): string {
  return `<code>${escapeHtml(text.replace(/[\r\n]+/g, " "))}</code>`;
}

/** A cell or line that is already markdown, made by one of the functions of this file. */
export interface Markup {
  readonly markup: string;
}

export function monospace(text: string): Markup {
  return { markup: code(text) };
}

/** A link to a page of a service that the user named; plain text for anything but http and https. */
export function link(text: string, url: string): Markup {
  const target = URL.canParse(url) ? new URL(url) : undefined;
  if (target === undefined || !/^https?:$/.test(target.protocol)) return { markup: escapeMarkdown(text) };
  const href = target.href.replace(/["'<>|@`]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
  return { markup: `<a href="${href.replaceAll("&", "&amp;")}">${escapeHtml(text)}</a>` };
}

/** A table. Plain strings are escaped. */
export function table(header: readonly string[], rows: readonly (readonly (string | Markup)[])[]): string {
  const cell = (value: string | Markup) => (typeof value === "string" ? escapeMarkdown(value) : value.markup);
  const line = (cells: readonly (string | Markup)[]) => `| ${cells.map(cell).join(" | ")} |\n`;
  return `${line(header)}|${" --- |".repeat(header.length)}\n${rows.map(line).join("")}\n`;
}

/** Long text, such as the last lines of a pod's log, folded away. At most `limit` characters, the last ones. */
export function details(title: string, text: string, limit = 20_000): string {
  const shown = text.length > limit ? `…\n${text.slice(-limit)}` : text;
  return `<details><summary>${escapeHtml(title)}</summary>\n\n<pre>${escapeHtml(shown)}</pre>\n\n</details>\n\n`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("|", "&#124;")
    .replaceAll("@", "@\u200b")
    .replace(/\n{2,}/g, "\n&#8203;\n");
}

/** GitHub refuses a summary above 1 MiB whole; a shortened one that says so is worth more. */
export function limitSummary(text: string, limit = 1_000_000): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= limit) return text;
  const cut = bytes
    .subarray(0, limit - 200)
    .toString("utf8")
    .replace(/\uFFFD$/, "");
  return `${cut.slice(0, cut.lastIndexOf("\n") + 1)}\n\nThe rest of this summary was left out: it is above GitHub's limit.\n`;
}

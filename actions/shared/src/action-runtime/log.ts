import type { Redactor } from "./redaction.ts";

/**
 * Text that did not come from us, made harmless for the runner's log: a line cannot be a workflow command (`::add-mask::`,
 * `##[group]`), and control characters other than tab cannot hide or rewrite what was printed.
 * Source of the two command forms: actions/runner, src/Runner.Common/ActionCommand.cs.
 */
export function neutralise(line: string): string {
  return line
    .replace(controlCharacters, "")
    .replace(/^(\s*):(?=:)/, "$1:\u200b")
    .replaceAll("##[", "##\u200b[");
}

/**
 * Terminal sequences, and the control characters of C0 and C1 but for tab and line feed. They go first: one of them between
 * two colons, or in front of them, must not hide a command from us that the runner, which drops it, then sees.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
const controlCharacters = /\u001b\[[0-9;?]*[A-Za-z]|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** What an action prints. Every line is redacted and cannot act as a workflow command. */
export class Log {
  readonly #redactor: Redactor;
  readonly #write: (line: string) => void;

  constructor(redactor: Redactor, write: (line: string) => void = (line) => process.stdout.write(`${line}\n`)) {
    this.#redactor = redactor;
    this.#write = write;
  }

  /** A line, or several, for the person who reads the log. */
  line(text: string): void {
    for (const line of this.#redactor.redact(text).split("\n")) this.#write(neutralise(line));
  }

  /** A line of an outside tool's output, set off from our own. */
  tool(text: string): void {
    this.line(`  ${text}`);
  }

  /** Runs `work` inside a group that the runner folds. */
  async group<T>(title: string, work: () => Promise<T>): Promise<T> {
    this.#write(`::group::${escapeData(this.#redactor.redact(title))}`);
    try {
      return await work();
    } finally {
      this.#write("::endgroup::");
    }
  }

  /** An annotation on the run. `title` and `message` are escaped as workflow-command data. */
  annotate(level: "error" | "warning" | "notice", title: string, message: string): void {
    const properties = escapeProperty(this.#redactor.redact(title));
    this.#write(`::${level} title=${properties}::${escapeData(this.#redactor.redact(message))}`);
  }
}

/** Source: actions/toolkit, packages/core/src/command.ts (escapeData, escapeProperty). */
function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

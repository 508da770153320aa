/** Values shorter than this are not replaced: they would turn every log into asterisks. */
const SHORTEST = 3;

/** Replaces secrets in text, as GitHub's log does it. */
export class Redaction {
  readonly #values = new Set<string>();

  constructor(secrets: Iterable<string> = []) {
    for (const secret of secrets) this.add(secret);
  }

  /** Hides a value from now on: as a whole, and each of its lines. */
  add(secret: string): void {
    for (const value of [secret, ...secret.split(/\r?\n/)].map((text) => text.trim())) {
      if (value.length >= SHORTEST) this.#values.add(value);
    }
  }

  /** The text with every secret replaced by `***`; longer secrets first, so that none shines through another. */
  text(text: string): string {
    let result = text;
    for (const value of [...this.#values].sort((a, b) => b.length - a.length)) result = result.replaceAll(value, "***");
    return result;
  }
}

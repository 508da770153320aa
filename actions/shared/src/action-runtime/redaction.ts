import { setSecret } from "@actions/core";

/** Shorter strings would blank out ordinary text. */
const shortestSecret = 4;

/**
 * Keeps secrets out of everything an action prints or writes.
 *
 * The runner masks a registered secret as one exact string only, so a kubeconfig or a JSON key whose single field is
 * printed by a tool stays readable. Each line and each quoted or `key: value` field is therefore registered by itself.
 */
export class Redactor {
  readonly #secrets = new Set<string>();
  readonly #register: (secret: string) => void;

  constructor(register: (secret: string) => void = setSecret) {
    this.#register = register;
  }

  /** Registers a secret and its parts, and the base64 and URI-encoded forms in which tools print it. */
  add(secret: string | undefined): void {
    if (secret === undefined) return;
    for (const part of secretParts(secret)) this.#addOne(part);
  }

  #addOne(secret: string): void {
    for (const form of [secret, Buffer.from(secret).toString("base64"), encodeURIComponent(secret)]) {
      if (form.length < shortestSecret || this.#secrets.has(form)) continue;
      this.#secrets.add(form);
      this.#register(form);
    }
  }

  /** The text with every registered secret replaced by `***`, longest first so that no tail of a secret stays. */
  redact(text: string): string {
    let redacted = text;
    for (const secret of [...this.#secrets].sort((a, b) => b.length - a.length))
      redacted = redacted.replaceAll(secret, "***");
    return redacted;
  }
}

/** Keys whose values name things, not secrets; hiding them would blank out words such as `default` in every log. */
const plainKeys = /^(apiversion|kind|name|namespace|cluster|user|context|current-context|server|type|command|args?)$/i;

/** A secret whole, its lines, and the values of its `key: value` or `"key": "value"` fields. */
export function secretParts(secret: string): string[] {
  const whole = secret.trim();
  if (whole === "") return [];
  const parts = new Set([whole]);
  const lines = whole.split(/\r?\n/).map((line) => line.trim());
  if (lines.length === 1 && !/^[{[]/.test(whole)) return [whole];
  for (const line of lines) {
    const fields = [...line.matchAll(/["']?([\w.-]+)["']?\s*:\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s,{}[\]"']+))/g)];
    for (const [, key = "", double, single, bare] of fields) {
      const value = double?.replaceAll("\\n", "\n").replaceAll('\\"', '"') ?? single ?? bare ?? "";
      if (!plainKeys.test(key)) for (const piece of value.split("\n")) parts.add(piece.trim());
    }
    if (fields.length === 0) parts.add(line);
  }
  return [...parts].filter((part) => part.length >= 8 || part === whole);
}

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

/**
 * Keys whose values are secret in kubeconfigs, cloud keys and Docker's configuration. Values of all other keys name things;
 * masking them would blank out words such as `production` in every log and, on GitHub, drop outputs that hold them.
 */
const secretKey = /(token|password|passwd|secret|private|credential|api[-_]?key|-data$|^auth$|^key$)/i;

/**
 * A secret whole and its parts: every line of a text of several lines that is nothing but a value, and the values of its
 * secret `key: value` or `"key": "value"` fields, line by line.
 */
export function secretParts(secret: string): string[] {
  const whole = secret.trim();
  if (whole === "") return [];
  const parts = new Set([whole]);
  const isStructured = /[\n{]/.test(whole);
  if (!isStructured) return [whole];
  for (const { key, value } of fieldsOf(whole))
    if (secretKey.test(key)) for (const piece of value.split("\n")) parts.add(piece.trim());
  for (const line of whole.split(/\r?\n/)) if (!/[:{}]/.test(line)) parts.add(line.trim().replace(/^- /, ""));
  return [...parts].filter((part) => part.length >= shortestSecret);
}

/** `key: value` fields of YAML and JSON, as text: a secret need not be well-formed to be kept secret. */
function fieldsOf(text: string): { key: string; value: string }[] {
  const field = /["']?([\w.-]+)["']?[ \t]*:[ \t]*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\n]+))/g;
  return [...text.matchAll(field)].flatMap(([, key = "", double, single, bare]) => {
    if (double !== undefined) return [{ key, value: double.replaceAll("\\n", "\n").replaceAll('\\"', '"') }];
    if (single !== undefined) return [{ key, value: single }];
    // Without quotes a value ends at the line's end, or inside { } at a comma or brace: both readings are taken.
    const line = (bare ?? "").trim();
    const flow = line.replace(/[,}\]].*$/, "").trim();
    return [...fieldsOf(line), { key, value: line }, { key, value: flow }];
  });
}

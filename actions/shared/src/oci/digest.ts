import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { ActionError } from "../action-runtime/error.ts";

declare const digestBrand: unique symbol;

/**
 * A content digest, `sha256:` and 64 lower-case hexadecimal digits (OCI image specification, descriptor.md). A tag or any
 * other string is not one, so nothing after the build can be named by a tag.
 */
export type Digest = string & { readonly [digestBrand]: true };

export function isDigest(text: string): text is Digest {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}

/** @throws ActionError `DIGEST_INVALID` */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new ActionError("DIGEST_INVALID", {
    message: `'${text.slice(0, 100)}' is not an image digest`,
    remedy: "pass the digest that build-scan sets as its output: sha256: and 64 hexadecimal digits, never a tag",
  });
}

export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest;
}

/** The digest of a file, read as a stream. */
export async function digestOfFile(path: string): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return `sha256:${hash.digest("hex")}` as Digest;
}

/** The first 12 hexadecimal digits, for people. */
export function shortDigest(digest: Digest): string {
  return digest.slice("sha256:".length, "sha256:".length + 12);
}

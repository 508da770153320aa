import { type Digest, digestOf } from "../oci/digest.ts";

/** A file of a model, with the digest of its bytes. */
export interface DigestedFile {
  /** Relative to the model's folder, with `/`. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly digest: Digest;
}

/**
 * One digest over all files of a folder: SHA-256 of the lines `<hexadecimal SHA-256>  <path>`, sorted by the bytes of the
 * path. It is what these commands print, run in the folder:
 *
 *     find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum
 */
export function filesDigest(files: readonly DigestedFile[]): Digest {
  const lines = [...files]
    .sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))
    .map(({ path, digest }) => `${digest.slice("sha256:".length)}  ${path}\n`);
  return digestOf(lines.join(""));
}

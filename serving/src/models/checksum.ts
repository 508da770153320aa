import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { ModelError } from "./error.ts";
import { checkContained } from "./external-data.ts";
import { fileFault } from "./file-fault.ts";

/** Large enough to be quick, small enough that probes are answered between two of them. */
const CHUNK_BYTES = 256 * 1024;

/**
 * Holds files to their SHA-256.
 *
 * @param path the ONNX file
 * @param expected hexadecimal digests by the file's path in the ONNX file's folder
 * @throws ModelError with both digests when one differs
 */
export async function checkDigests(path: string, expected: ReadonlyMap<string, string>): Promise<void> {
  const folder = dirname(path);
  await checkContained(path, [...expected.keys()]);
  for (const [name, digest] of expected) {
    const file = join(folder, name);
    const found = await sha256(file);
    if (found === digest.toLowerCase()) continue;
    throw new ModelError(`${file} has SHA-256 ${found}, its config.json wants ${digest.toLowerCase()}`);
  }
}

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(file, { highWaterMark: CHUNK_BYTES }), hash);
  } catch (error) {
    throw new ModelError(`cannot read ${file}: ${fileFault(error as NodeJS.ErrnoException)}`);
  }
  return hash.digest("hex");
}

import type { DigestedFile } from "../../shared/src/mlflow/files-digest.ts";
import type { Digest } from "../../shared/src/oci/digest.ts";
import { details, monospace, table } from "../../shared/src/report/markdown.ts";

/** The downloaded files for people. */
export function reportDownload(files: readonly DigestedFile[], digest: Digest): string {
  const list = files.map((file) => `${file.digest}  ${String(file.size).padStart(12)}  ${file.path}`).join("\n");
  return table(["files", "digest"], [[String(files.length), monospace(digest)]]) + details("The files", list);
}

import type { MlflowApi } from "../../shared/src/mlflow/api.ts";
import { countFiles } from "../../shared/src/mlflow/artifacts.ts";
import type { DigestedFile } from "../../shared/src/mlflow/files-digest.ts";
import { type ModelVersion, versionPage } from "../../shared/src/mlflow/registered-models.ts";
import { type Run, runPage } from "../../shared/src/mlflow/runs.ts";
import type { Digest } from "../../shared/src/oci/digest.ts";
import { details, link, monospace, table } from "../../shared/src/report/markdown.ts";
import type { AliasOutcome } from "./alias.ts";

interface Registered {
  readonly version: ModelVersion;
  readonly run: Run;
  readonly alias: AliasOutcome;
  readonly files: readonly DigestedFile[];
  readonly digest: Digest;
}

/** The version for people. */
export function reportVersion(api: MlflowApi, { version, run, alias, files, digest }: Registered): string {
  const title = `${version.model}, version ${version.version}`;
  const rows = [
    ["model", link(title, versionPage(api, version.model, version.version))],
    ["run", link(run.name || run.id, runPage(api, run))],
    ["alias", `${alias.alias} → version ${alias.version}`],
    ["files", monospace(digest)],
  ];
  const list = files.map((file) => `${file.digest}  ${String(file.size).padStart(12)}  ${file.path}`).join("\n");
  return table(["", ""], rows) + details(countFiles(files), list);
}

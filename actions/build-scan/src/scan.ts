import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ActionContext } from "../../shared/src/action-runtime/action.ts";
import { ActionError } from "../../shared/src/action-runtime/error.ts";
import { run, toolEnvironment } from "../../shared/src/child-process/run.ts";
import type { ImageLayout } from "../../shared/src/oci/layout.ts";
import type { Command } from "../../shared/src/toolchain/tool.ts";
import { type Finding, type Severity, severities } from "./gate.ts";

export interface Scan {
  readonly findings: readonly Finding[];
  /** The scanner and its database, for the evidence. */
  readonly scanner: { readonly name: "grype"; readonly version: string; readonly database: string };
}

/** The part of Grype's JSON report that is read here. Source: anchore/grype, schema/grype/json. */
interface GrypeReport {
  readonly matches: readonly {
    readonly vulnerability: {
      readonly id: string;
      readonly severity?: string;
      readonly fix?: { versions?: string[] | null };
    };
    readonly relatedVulnerabilities?: readonly { readonly id: string }[];
    readonly artifact: {
      readonly name: string;
      readonly version: string;
      readonly type: string;
      readonly locations?: readonly { readonly path: string }[];
    };
  }[];
  readonly descriptor: {
    readonly version: string;
    readonly db?: {
      readonly status?: { readonly built?: string };
      readonly providers?: Readonly<Record<string, unknown>>;
    };
  };
}

/**
 * Scans the built image in its layout, before anyone else can see it.
 *
 * @throws ActionError `SCAN_UNAVAILABLE` when the scanner or its database could not give an answer: never a pass.
 */
export async function scanImage(
  scanner: Command,
  layout: ImageLayout,
  folder: string,
  timeoutMilliseconds: number,
  { log, signal }: Pick<ActionContext, "log" | "signal">,
): Promise<Scan> {
  const report = join(folder, "grype.json");
  const configuration = join(folder, "grype.yaml");
  await writeFile(configuration, "{}\n");
  const args = ["--config", configuration, `oci-dir:${layout.folder}`, "--output", "json", "--file", report, "--quiet"];
  const { exitCode, stderr } = await run(scanner.command, [...scanner.prefix, ...args], {
    signal,
    timeoutMilliseconds,
    directory: folder,
    environment: scannerEnvironment(),
    onLine: (line) => log.tool(line),
  });
  const text = exitCode === 0 ? await readFile(report, "utf8").catch(() => undefined) : undefined;
  if (text !== undefined) return readReport(text);
  const last = stderr.trim().split("\n").at(-1) ?? "";
  throw new ActionError("SCAN_UNAVAILABLE", {
    message: `the image could not be scanned: Grype ended with exit code ${exitCode}: ${last.slice(0, 300)}`,
    remedy:
      "check that the runner reaches Grype's vulnerability database, or give it one (GRYPE_DB_CACHE_DIR), and re-run",
    blame: "inconclusive",
  });
}

/**
 * Where the database is may be said by the environment; what is looked for and what is ignored may not, and neither may a
 * `.grype.yaml` in the repository: the policy is the action's inputs, which the evidence names.
 */
function scannerEnvironment(): Record<string, string> {
  const kept = Object.entries(toolEnvironment()).filter(([name]) => !/^GRYPE_(?!DB_)/.test(name));
  return { ...Object.fromEntries(kept), GRYPE_CHECK_FOR_APP_UPDATE: "false" };
}

/** Grype's report in our terms. */
export function readReport(text: string): Scan {
  const { matches, descriptor } = JSON.parse(text) as GrypeReport;
  const findings = matches.map(({ vulnerability, relatedVulnerabilities, artifact }) => ({
    id: vulnerability.id,
    aliases: (relatedVulnerabilities ?? []).map(({ id }) => id).filter((id) => id !== vulnerability.id),
    severity: severityOf(vulnerability.severity),
    package: artifact.name,
    version: artifact.version,
    type: artifact.type,
    path: artifact.locations?.[0]?.path ?? "",
    fixedIn: vulnerability.fix?.versions ?? [],
  }));
  return { findings, scanner: { name: "grype", version: descriptor.version, database: databaseOf(descriptor) } };
}

/** When the database was built, and whose advisories are in it; the public one has too many sources to name. */
function databaseOf({ db }: GrypeReport["descriptor"]): string {
  const sources = Object.keys(db?.providers ?? {}).sort();
  const built = db?.status?.built ?? "at an unknown time";
  const from = sources.length > 4 ? `${sources.length} sources` : sources.join(", ") || "unknown sources";
  return `built ${built} from ${from}`;
}

function severityOf(text: string | undefined): Severity | undefined {
  const word = text?.toLowerCase();
  return severities.find((severity) => severity === word);
}

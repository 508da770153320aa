import type { Digest } from "../../shared/src/oci/digest.ts";
import { details, monospace, table } from "../../shared/src/report/markdown.ts";
import { type Finding, type GateDecision, nameOf, severities } from "./gate.ts";
import type { Scan } from "./scan.ts";

export interface BuildScanReport {
  readonly image: string;
  readonly digest: Digest;
  /** Bytes of the compressed layers. */
  readonly size: number;
  readonly pushed: boolean;
  readonly scan: Scan;
  readonly gate: GateDecision;
}

/** What a person wants to know of the image: which bytes, how big, what is wrong with them. */
export function reportBuildScan({ image, digest, size, pushed, scan, gate }: BuildScanReport): string {
  const facts = table(
    ["image", "digest", "size", "pushed", "scanner"],
    [
      [
        monospace(image),
        monospace(digest),
        `${(size / 1e6).toFixed(1)} MB`,
        pushed ? "yes" : "no",
        `Grype ${scan.scanner.version}, database ${scan.scanner.database}`,
      ],
    ],
  );
  const order = [...severities].reverse();
  const counts = table(
    [...order, "unknown", "accepted"],
    [[...order.map((name) => String(gate.counts[name])), String(gate.counts.unknown), String(gate.accepted.length)]],
  );
  const blocking = gate.blocking.length === 0 ? "" : findingsTable(gate.blocking.slice(0, 20));
  const list = scan.findings.map(
    ({ severity, package: name, version, ...finding }) =>
      `${(severity ?? "unknown").padEnd(10)} ${nameOf({ severity, package: name, version, ...finding })}  ${name} ${version}`,
  );
  return facts + counts + blocking + (list.length === 0 ? "" : details(`All ${list.length} findings`, list.join("\n")));
}

function findingsTable(findings: readonly Finding[]): string {
  return table(
    ["severity", "vulnerability", "package", "fixed in", "where"],
    findings.map((finding) => [
      finding.severity ?? "unknown",
      nameOf(finding),
      monospace(`${finding.package} ${finding.version}`),
      finding.fixedIn.join(", ") || "no fix yet",
      monospace(finding.path),
    ]),
  );
}

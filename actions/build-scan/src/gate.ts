import type { Verdict } from "../../shared/src/action-runtime/verdict.ts";

/** From the least to the most severe; Grype's own words. */
export const severities = ["negligible", "low", "medium", "high", "critical"] as const;
export type Severity = (typeof severities)[number];

/** One vulnerability in one package of the image. */
export interface Finding {
  /** The scanner's id, such as GHSA-xvch-5gv4-984h. */
  readonly id: string;
  /** Other ids of the same vulnerability, such as its CVE. */
  readonly aliases: readonly string[];
  /** Undefined where the database gives none. */
  readonly severity: Severity | undefined;
  readonly package: string;
  readonly version: string;
  /** Kind of package: `npm`, `deb`, `python`, … */
  readonly type: string;
  /** Where in the image; empty where the scanner does not say. */
  readonly path: string;
  /** Versions that mend it; empty where there is none yet. */
  readonly fixedIn: readonly string[];
}

export interface GatePolicy {
  readonly failOn: Severity;
  /** Ids or aliases that are accepted. */
  readonly ignore: readonly string[];
}

export interface GateDecision {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly remedy?: string;
  /** Findings at or above `failOn` that nobody accepted, the most severe first. */
  readonly blocking: readonly Finding[];
  readonly accepted: readonly Finding[];
  /** Findings by severity, accepted ones left out. */
  readonly counts: Readonly<Record<Severity | "unknown", number>>;
}

/** Whether the image may go on. */
export function decideGate(findings: readonly Finding[], policy: GatePolicy): GateDecision {
  const ignored = new Set(policy.ignore.map((id) => id.toLowerCase()));
  const isAccepted = ({ id, aliases }: Finding) => [id, ...aliases].some((name) => ignored.has(name.toLowerCase()));
  const accepted = findings.filter(isAccepted);
  const open = findings.filter((finding) => !isAccepted(finding));
  const rank = ({ severity }: Finding) => (severity === undefined ? -1 : severities.indexOf(severity));
  const blocking = open
    .filter((finding) => rank(finding) >= severities.indexOf(policy.failOn))
    .sort((a, b) => rank(b) - rank(a) || a.package.localeCompare(b.package));
  const counts = Object.fromEntries(
    [...severities, "unknown" as const].map((name) => [
      name,
      open.filter(({ severity }) => (severity ?? "unknown") === name).length,
    ]),
  ) as GateDecision["counts"];
  const [worst] = blocking;
  if (worst === undefined)
    return { verdict: "pass", reason: passReason(open.length, policy), blocking, accepted, counts };
  const others = blocking.length === 1 ? "" : `, and ${blocking.length - 1} more`;
  const fix =
    worst.fixedIn.length > 0 ? `update ${worst.package} to ${worst.fixedIn.join(" or ")}` : `replace ${worst.package}`;
  return {
    verdict: "fail",
    reason: `${worst.severity} vulnerability ${nameOf(worst)} in ${worst.package} ${worst.version}${others}`,
    remedy: `${fix}, or accept the id in the scan policy's ignore list with a reason`,
    blocking,
    accepted,
    counts,
  };
}

function passReason(open: number, { failOn }: GatePolicy): string {
  return open === 0
    ? "no known vulnerability"
    : `no vulnerability of severity ${failOn} or above among ${open} findings`;
}

/** The id with its CVE, by which people know it. */
export function nameOf({ id, aliases }: Finding): string {
  const cve = aliases.find((alias) => alias.startsWith("CVE-"));
  return cve === undefined || id.startsWith("CVE-") ? id : `${id} (${cve})`;
}

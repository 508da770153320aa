import type { Verdict } from "../action-runtime/verdict.ts";
import { type Digest, shortDigest } from "../oci/digest.ts";
import type { Stage, StageStatement } from "./statement.ts";

/** What must have passed before a digest may go to production. */
export interface PromotionPolicy {
  readonly require: readonly Stage[];
  /** The environment in which the deploying and testing stages must have run. */
  readonly environment: string;
}

export interface PolicyFinding {
  readonly stage: Stage;
  /** The newest statement's verdict, or `missing`. */
  readonly verdict: Verdict | "missing";
  readonly reason: string;
  readonly finishedAt?: string;
}

export interface PolicyDecision {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly remedy?: string;
  readonly findings: readonly PolicyFinding[];
}

/** Stages that act on an environment; the others speak of the digest alone. */
const inEnvironment: ReadonlySet<Stage> = new Set(["helm-deploy", "integration-test"]);

/**
 * Whether the evidence is enough. The newest statement of a stage counts: a failed test that was repeated and passed is a
 * pass, and a pass after which the test failed is a failure. A test counts only if it saw that what it tested runs this image.
 */
export function decidePromotion(
  digest: Digest,
  statements: readonly StageStatement[],
  policy: PromotionPolicy,
): PolicyDecision {
  const findings = policy.require.map((stage) => findingFor(stage, statements, policy));
  const missing = findings.filter(({ verdict }) => verdict === "missing");
  const failed = findings.filter(({ verdict }) => verdict === "fail");
  const unclear = findings.filter(({ verdict }) => verdict === "inconclusive");
  const name = `digest ${shortDigest(digest)}`;
  const list = (of: readonly PolicyFinding[]) => of.map(({ stage }) => stage).join(", ");
  if (failed.length > 0)
    return {
      verdict: "fail",
      reason: `${name} failed ${list(failed)}: ${failed[0]?.reason}`,
      remedy: "mend the cause and build a new digest; this one stays out of production",
      findings,
    };
  if (missing.length > 0)
    return {
      verdict: "fail",
      reason: `${name} has no evidence of ${list(missing)} in ${policy.environment}`,
      remedy: `run the pipeline for this digest up to ${policy.environment}, then promote it`,
      findings,
    };
  if (unclear.length > 0)
    return {
      verdict: "inconclusive",
      reason: `${name} has no clear result of ${list(unclear)}: ${unclear[0]?.reason}`,
      remedy: "run that stage again for the same digest, then promote it",
      findings,
    };
  return { verdict: "pass", reason: `${name} passed ${list(findings) || "(nothing is required)"}`, findings };
}

/** Of two statements of one moment the worse one counts. */
const weight: Readonly<Record<Verdict, number>> = { pass: 0, inconclusive: 1, fail: 2 };

function findingFor(stage: Stage, statements: readonly StageStatement[], policy: PromotionPolicy): PolicyFinding {
  const about = statements
    .map(({ predicate }) => predicate)
    .filter((predicate) => predicate.stage === stage)
    .filter((predicate) => !inEnvironment.has(stage) || predicate.environment === policy.environment)
    .sort((a, b) => Date.parse(a.finishedAt) - Date.parse(b.finishedAt) || weight[a.verdict] - weight[b.verdict]);
  const newest = about.at(-1);
  if (newest === undefined) return { stage, verdict: "missing", reason: "no statement is attached to the image" };
  const { verdict, reason, finishedAt } = newest;
  if (stage === "integration-test" && verdict === "pass" && newest.details.digestIsLive !== true)
    return { stage, verdict: "missing", reason: "the tested address was not seen to run this image", finishedAt };
  return { stage, verdict, reason, finishedAt };
}

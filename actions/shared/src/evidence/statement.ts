import type { Verdict } from "../action-runtime/verdict.ts";
import { formatRepository, type ImageReference } from "../oci/reference.ts";

/** The stages that leave evidence; each is the name of the action that ran it. */
export const stages = ["build-scan", "helm-deploy", "integration-test", "promote"] as const;
export type Stage = (typeof stages)[number];

const statementType = "https://in-toto.io/Statement/v1";
export const predicateType = "https://github.com/mlops-actions/mlops-actions/predicates/stage-verdict/v1";

/** Which run of which workflow made a statement. */
export interface RunIdentity {
  /** `owner/name` of the model repository. */
  readonly repository: string;
  readonly workflow: string;
  readonly runId: string;
  readonly attempt: string;
  /** The commit of the model repository. */
  readonly commit: string;
  /** Who or what started the run. */
  readonly actor: string;
}

/** What one stage found about one digest. */
export interface StagePredicate {
  readonly stage: Stage;
  /** `staging`, `production`, …; absent for stages that run in none. */
  readonly environment?: string;
  readonly verdict: Verdict;
  readonly reason: string;
  /** RFC 3339, UTC. */
  readonly finishedAt: string;
  readonly run: RunIdentity;
  /** Figures and names behind the verdict, as the stage's documentation lists them. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** in-toto Attestation Framework, Statement v1: spec/v1/statement.md. */
export interface StageStatement {
  readonly _type: typeof statementType;
  readonly subject: readonly [{ readonly name: string; readonly digest: { readonly sha256: string } }];
  readonly predicateType: typeof predicateType;
  readonly predicate: StagePredicate;
}

export function stageStatement(image: ImageReference, predicate: StagePredicate): StageStatement {
  return {
    _type: statementType,
    subject: [{ name: formatRepository(image), digest: { sha256: hexOf(image) } }],
    predicateType,
    predicate,
  };
}

/** Clocks of runners and registries may differ by this much, in milliseconds. */
const clockSkew = 5 * 60_000;

/** RFC 3339 with a time zone; `Date.parse` alone takes "9999" too. */
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/**
 * Reads a statement that anyone who may push to the registry could have written: undefined unless its form is whole, it is
 * about this image in this repository, and it does not claim to come from the future, where it would outrank every other.
 *
 * @param now milliseconds since the epoch
 */
export function readStatement(text: string, image: ImageReference, now: number): StageStatement | undefined {
  let value: Partial<StageStatement> & { predicate?: Partial<StagePredicate> };
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(value) || value._type !== statementType || value.predicateType !== predicateType) return undefined;
  const { predicate, subject } = value;
  const finishedAt = predicate?.finishedAt ?? "";
  const isAbout =
    Array.isArray(subject) &&
    subject.length === 1 &&
    subject[0]?.name === formatRepository(image) &&
    subject[0]?.digest?.sha256 === hexOf(image);
  const whole =
    isAbout &&
    stages.includes(predicate?.stage as Stage) &&
    ["pass", "fail", "inconclusive"].includes(predicate?.verdict as string) &&
    typeof predicate?.reason === "string" &&
    rfc3339.test(finishedAt) &&
    Date.parse(finishedAt) <= now + clockSkew &&
    isObject(predicate?.run) &&
    isObject(predicate?.details);
  return whole ? (value as StageStatement) : undefined;
}

function hexOf({ digest }: ImageReference): string {
  return digest.slice("sha256:".length);
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

/** The identity of this run, from the runner's own variables. */
export function runIdentity(environment: Readonly<Record<string, string | undefined>>): RunIdentity {
  const of = (name: string) => environment[name] ?? "";
  return {
    repository: of("GITHUB_REPOSITORY"),
    workflow: of("GITHUB_WORKFLOW"),
    runId: of("GITHUB_RUN_ID"),
    attempt: of("GITHUB_RUN_ATTEMPT"),
    commit: of("GITHUB_SHA"),
    actor: of("GITHUB_ACTOR"),
  };
}

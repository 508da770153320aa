import { describe, expect, it } from "vitest";
import type { Verdict } from "../../src/action-runtime/verdict.ts";
import { decidePromotion } from "../../src/evidence/promotion-policy.ts";
import { readStatement, type Stage, stageStatement } from "../../src/evidence/statement.ts";
import { digestOf } from "../../src/oci/digest.ts";

const image = { registry: "ghcr.io", path: "acme/digits", digest: digestOf("image") };
const run = { repository: "acme/digits", workflow: "pipeline", runId: "1", attempt: "1", commit: "c", actor: "ada" };
const policy = { require: ["build-scan", "helm-deploy", "integration-test"] as Stage[], environment: "staging" };

let minute = 0;
function statement(stage: Stage, verdict: Verdict, environment?: string) {
  minute += 1;
  const finishedAt = new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
  const where = environment === undefined ? {} : { environment };
  return stageStatement(image, {
    stage,
    ...where,
    verdict,
    reason: `${stage} says ${verdict}`,
    finishedAt,
    run,
    details: { digestIsLive: true },
  });
}

const tested = () => [
  statement("build-scan", "pass"),
  statement("helm-deploy", "pass", "staging"),
  statement("integration-test", "pass", "staging"),
];

describe("decidePromotion", () => {
  it("passes a digest that passed every required stage", () => {
    expect(decidePromotion(image.digest, tested(), policy).verdict).toBe("pass");
  });

  it("refuses a digest that staging did not test, and names the stage", () => {
    const decision = decidePromotion(image.digest, tested().slice(0, 2), policy);
    expect(decision).toMatchObject({
      verdict: "fail",
      reason: expect.stringContaining("no evidence of integration-test"),
    });
  });

  it("does not count a test in another environment", () => {
    const elsewhere = [...tested().slice(0, 2), statement("integration-test", "pass", "production")];
    expect(decidePromotion(image.digest, elsewhere, policy).verdict).toBe("fail");
  });

  it("lets the newest statement of a stage count, in whatever order they are listed", () => {
    const failedLater = [...tested(), statement("integration-test", "fail", "staging")];
    expect(decidePromotion(image.digest, failedLater.reverse(), policy)).toMatchObject({
      verdict: "fail",
      reason: expect.stringContaining("integration-test says fail"),
    });
    const mended = [statement("integration-test", "fail", "staging"), ...tested()];
    expect(decidePromotion(image.digest, mended, policy).verdict).toBe("pass");
  });

  it("never counts an inconclusive stage as a pass", () => {
    const unclear = [...tested(), statement("integration-test", "inconclusive", "staging")];
    expect(decidePromotion(image.digest, unclear, policy).verdict).toBe("inconclusive");
  });

  it("does not count a test that did not see its image run", () => {
    const elsewhere = tested();
    const test = structuredClone(elsewhere[2]);
    Object.assign(test?.predicate.details ?? {}, { digestIsLive: false });
    expect(decidePromotion(image.digest, [...elsewhere.slice(0, 2), ...(test ? [test] : [])], policy)).toMatchObject({
      verdict: "fail",
      findings: [{}, {}, { verdict: "missing", reason: "the tested address was not seen to run this image" }],
    });
  });

  it("takes the worse of two statements of one moment", () => {
    const pass = statement("integration-test", "pass", "staging");
    const { finishedAt } = pass.predicate;
    const fail = { ...pass, predicate: { ...pass.predicate, verdict: "fail" as const, finishedAt } };
    for (const order of [
      [pass, fail],
      [fail, pass],
    ])
      expect(decidePromotion(image.digest, [...tested().slice(0, 2), ...order], policy).verdict).toBe("fail");
  });

  it("lets a failure outweigh what is missing", () => {
    expect(decidePromotion(image.digest, [statement("build-scan", "fail")], policy).reason).toContain(
      "failed build-scan",
    );
  });
});

describe("readStatement", () => {
  const now = Date.UTC(2026, 5, 1);
  const read = (value: unknown) => readStatement(JSON.stringify(value), image, now);
  const whole = () => JSON.parse(JSON.stringify(statement("build-scan", "pass")));

  it("reads what stageStatement wrote", () => {
    expect(read(whole())).toMatchObject({
      predicate: { stage: "build-scan", verdict: "pass" },
    });
  });

  it.each([
    ["another stage", { predicate: { ...whole().predicate, stage: "made-up" } }],
    ["another verdict", { predicate: { ...whole().predicate, verdict: "passed" } }],
    ["no time", { predicate: { ...whole().predicate, finishedAt: undefined } }],
    ["another predicate type", { predicateType: "https://slsa.dev/provenance/v1" }],
    ["no subject", { subject: [] }],
    ["two subjects", { subject: [...whole().subject, ...whole().subject] }],
    ["another repository's name", { subject: [{ ...whole().subject[0], name: "ghcr.io/acme/other" }] }],
    ["another digest", { subject: [{ ...whole().subject[0], digest: { sha256: "0".repeat(64) } }] }],
    ["another statement type", { _type: "https://in-toto.io/Statement/v0.1" }],
    ["a time in the future", { predicate: { ...whole().predicate, finishedAt: "2027-06-01T00:00:00Z" } }],
    ["a time that is only a year", { predicate: { ...whole().predicate, finishedAt: "2025" } }],
  ])("leaves out a statement with %s", (_, change) => {
    expect(read({ ...whole(), ...change })).toBeUndefined();
  });

  it.each(["", "null", "[]", "{"])("leaves out %j", (text) => {
    expect(readStatement(text, image, now)).toBeUndefined();
  });
});

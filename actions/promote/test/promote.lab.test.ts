import { beforeEach, describe, expect, inject, it } from "vitest";
import { attachStatement, readStatements } from "../../shared/src/evidence/store.ts";
import { MlflowApi } from "../../shared/src/mlflow/api.ts";
import { findVersionByAlias } from "../../shared/src/mlflow/registered-models.ts";
import { digestOf } from "../../shared/src/oci/digest.ts";
import { formatImage, type ImageReference, parseRepository } from "../../shared/src/oci/reference.ts";
import { RegistryClient } from "../../shared/src/oci/registry.ts";
import { runAction, runnerFolders } from "../../shared/test/action-process.ts";
import { pushTinyImage, type StatementOptions, statementOf } from "../../shared/test/evidence/statements.ts";

const { registry, mlflow } = inject("lab").addresses;
const { environment } = runnerFolders();
const machine = { ...environment, GITHUB_REPOSITORY: "acme/digits", GITHUB_ACTOR: "ada", GITHUB_RUN_ID: "42" };
const require = "build-scan\nhelm-deploy\nintegration-test";
const api = new MlflowApi({ address: mlflow, clientEnvironment: {} });
const model = `promoted-${process.pid}`;

let number = 0;
let repository = "";
let client: RegistryClient;
let image: ImageReference;

beforeEach(async () => {
  number += 1;
  repository = `${registry}/promote-${process.pid}/n${number}`;
  client = new RegistryClient(parseRepository(repository));
  image = await pushTinyImage(client, repository);
});

async function attach(...statements: StatementOptions[]): Promise<void> {
  for (const statement of statements) await attachStatement(client, image, statementOf(image, statement));
}

const built = (version?: string): StatementOptions => ({
  stage: "build-scan",
  details: version === undefined ? {} : { model: { name: model, version } },
});
const deployed: StatementOptions = { stage: "helm-deploy", environment: "staging" };
const tested: StatementOptions = {
  stage: "integration-test",
  environment: "staging",
  details: { digestIsLive: true },
};

const promote = (operation: string, inputs: Readonly<Record<string, string>> = {}) =>
  runAction("promote", { operation, repository, require, ...inputs }, machine);

describe("verify", () => {
  it("lets a digest pass that passed every required stage in staging", async () => {
    await attach(built("7"), deployed, tested);
    const { outputs, summary, exitCode } = await promote("verify", { image: image.digest });
    expect(outputs).toMatchObject({
      verdict: "pass",
      image: formatImage(image),
      "model-version": "7",
      "previous-version": "",
      reason: expect.stringContaining("passed build-scan, helm-deploy, integration-test"),
    });
    expect(exitCode).toBe(0);
    expect(summary).toContain(image.digest);
    expect(summary).toContain("2026-01-01T00:00:00.000Z");
  });

  it("refuses a digest that staging did not test, and names the stage", async () => {
    await attach(built(), deployed, { ...tested, environment: "production" });
    const { outputs, exitCode } = await promote("verify", { image: formatImage(image) });
    expect(outputs).toMatchObject({
      verdict: "fail",
      image: "",
      reason: expect.stringContaining("has no evidence of integration-test in staging"),
    });
    expect(exitCode).toBe(1);
    const elsewhere = await promote("verify", { image: image.digest, "evidence-environment": "production" });
    expect(elsewhere.outputs.reason).toContain("has no evidence of helm-deploy in production");
  });

  it("does not count a test that did not see this image run", async () => {
    await attach(built(), deployed, { ...tested, details: { digestIsLive: false } });
    const { outputs, summary } = await promote("verify", { image: image.digest });
    expect(outputs).toMatchObject({ verdict: "fail", image: "" });
    expect(summary).toContain("the tested address was not seen to run this image");
  });

  it("lets the newest statement of a stage count", async () => {
    await attach(built(), deployed, { ...tested, minute: 1 }, { ...tested, minute: 3, verdict: "fail" });
    expect((await promote("verify", { image: image.digest })).outputs).toMatchObject({
      verdict: "fail",
      reason: expect.stringContaining("failed integration-test: integration-test says fail at 3"),
    });
    await attach({ ...tested, minute: 4, verdict: "inconclusive" }, { ...tested, minute: 2 });
    expect((await promote("verify", { image: image.digest })).outputs.verdict).toBe("inconclusive");
    await attach({ ...tested, minute: 5 });
    expect((await promote("verify", { image: image.digest })).outputs.verdict).toBe("pass");
  });

  it("without a digest takes what the tag names, and gives its digest on", async () => {
    await attach(built(), deployed, tested);
    await client.tagManifest(image.digest, "candidate");
    const { outputs } = await promote("verify", { tag: "candidate" });
    expect(outputs).toMatchObject({ verdict: "pass", image: formatImage(image) });
  });

  it.each([
    ["a tag that names nothing", { tag: "candidate" }, "IMAGE_NOT_FOUND", "has no tag 'candidate'"],
    ["a digest that is not there", { image: digestOf("absent") }, "IMAGE_NOT_FOUND", `${digestOf("absent")} is not in`],
    ["a tag in the digest's place", { image: "candidate" }, "DIGEST_INVALID", "'candidate'"],
    ["neither digest nor tag", {}, "INPUT_INVALID", "no input 'image' nor input 'tag'"],
    ["what is no tag", { tag: "a/b" }, "INPUT_INVALID", "'a/b': expected a tag"],
    ["an unknown stage", { require: "build-scan\nbake" }, "INPUT_INVALID", "no stage is called bake"],
  ])("refuses %s", async (_, inputs, code, reason) => {
    const { outputs } = await promote("verify", inputs);
    expect(outputs).toMatchObject({ verdict: "fail", code, reason: expect.stringContaining(reason) });
    expect(outputs.image).toBeUndefined();
  });

  it("refuses a policy that would let every image pass", async () => {
    const { outputs } = await promote("verify", { image: image.digest, require: "" });
    expect(outputs).toMatchObject({ code: "INPUT_INVALID", reason: expect.stringContaining("'require' is empty") });
  });

  it("refuses the image of another repository, proven or not", async () => {
    await attach(built(), deployed, tested);
    const { outputs } = await promote("verify", { repository: `${registry}/other/model`, image: formatImage(image) });
    expect(outputs).toMatchObject({ verdict: "fail", code: "IMAGE_OTHER_REPOSITORY" });
  });

  it("is inconclusive when the registry cannot be reached", async () => {
    const { outputs } = await promote("verify", { repository: "127.0.0.1:9/digits", image: image.digest });
    expect(outputs).toMatchObject({ verdict: "inconclusive", code: "REGISTRY_UNREACHABLE" });
  });
});

describe("nominate", () => {
  it("lets the tag name the image when it passes, and not before", async () => {
    await attach(built(), deployed);
    const inputs = { image: image.digest, tag: "candidate" };
    expect((await promote("nominate", inputs)).outputs.verdict).toBe("fail");
    expect(await client.resolveTag("candidate")).toBeUndefined();
    await attach(tested);
    const { outputs } = await promote("nominate", inputs);
    expect(outputs).toMatchObject({
      verdict: "pass",
      reason: expect.stringContaining("it is the candidate for production"),
    });
    expect(await client.resolveTag("candidate")).toBe(image.digest);
  });

  it("leaves the tag on the proven image when a newer one fails", async () => {
    await client.tagManifest(image.digest, "candidate");
    const proven = image;
    image = await pushTinyImage(client, "newer");
    await attach(built(), deployed, { ...tested, verdict: "fail" });
    expect((await promote("nominate", { image: image.digest, tag: "candidate" })).exitCode).toBe(1);
    expect(await client.resolveTag("candidate")).toBe(proven.digest);
  });

  it.each([
    ["image", { tag: "candidate" }],
    ["tag", { image: "sha256:".padEnd(71, "0") }],
  ])("needs its input %s", async (input, inputs) => {
    const { outputs } = await promote("nominate", inputs);
    expect(outputs).toMatchObject({ code: "INPUT_INVALID", reason: `no input '${input}' was given` });
  });
});

describe("find", () => {
  it("says which model version the newest build recorded, without a policy", async () => {
    expect((await promote("find", { image: image.digest })).outputs).toMatchObject({
      verdict: "pass",
      image: formatImage(image),
      "model-version": "",
      reason: expect.stringContaining("has no model version on record"),
    });
    await attach({ ...built("3"), minute: 1 }, { ...built("4"), minute: 2 });
    expect((await promote("find", { image: image.digest })).outputs).toMatchObject({
      "model-version": "4",
      reason: expect.stringContaining(`has ${model} version 4 on record`),
    });
  });
});

describe("record, with a real MLflow", () => {
  const inputs = () => ({ image: image.digest, model, alias: "champion", "mlflow-tracking-uri": mlflow });
  const champion = async () => (await findVersionByAlias(api, model, "champion"))?.version;
  const ledger = async () =>
    (await readStatements(client, image.digest))
      .map(({ predicate }) => predicate)
      .filter(({ stage }) => stage === "promote");

  beforeEach(async () => {
    const post = (path: string, body: object) =>
      api.post(path, body, { what: path, unless: ["RESOURCE_ALREADY_EXISTS"] });
    await post("mlflow/registered-models/create", { name: model });
    await post("mlflow/model-versions/create", { name: model, source: "s3://bucket/model" });
    await post("mlflow/model-versions/create", { name: model, source: "s3://bucket/model" });
  });

  it("moves the alias, writes the ledger, and changes nothing more when it is run again", async () => {
    await attach(built("1"));
    const first = await promote("record", inputs());
    expect(first.outputs, first.log).toMatchObject({
      verdict: "pass",
      "model-version": "1",
      "previous-version": "",
      reason: `${model} version 1 is in production; alias champion moved from nothing`,
    });
    expect(await champion()).toBe("1");

    image = await pushTinyImage(client, "second");
    await attach(built("2"));
    const second = await promote("record", inputs());
    expect(second.outputs).toMatchObject({ "model-version": "2", "previous-version": "1" });
    expect(await champion()).toBe("2");
    expect(second.summary).toContain("champion: version 1 → version 2");
    expect(await ledger()).toMatchObject([
      {
        environment: "production",
        verdict: "pass",
        run: { actor: "ada", runId: "42" },
        details: { model: { name: model, version: "2" }, alias: "champion", previousVersion: "1" },
      },
    ]);

    const again = await promote("record", inputs());
    expect(again.outputs).toMatchObject({
      verdict: "pass",
      reason: `${model} version 2 is in production; alias champion named it already`,
    });
    expect(await champion()).toBe("2");
  });

  it("attaches nothing when the version is gone", async () => {
    await attach(built("999"));
    const { outputs } = await promote("record", inputs());
    expect(outputs).toMatchObject({
      verdict: "fail",
      code: "MODEL_VERSION_NOT_FOUND",
      reason: `MLflow has no version 999 of model '${model}', which the image's evidence names`,
    });
    expect(await ledger()).toEqual([]);
  });

  it("attaches nothing when MLflow cannot be reached, or is not named", async () => {
    await attach(built("1"));
    const unreachable = await promote("record", { ...inputs(), "mlflow-tracking-uri": "http://127.0.0.1:9" });
    expect(unreachable.outputs).toMatchObject({ verdict: "inconclusive", code: "MLFLOW_UNREACHABLE" });
    const unnamed = await promote("record", { ...inputs(), "mlflow-tracking-uri": "" });
    expect(unnamed.outputs).toMatchObject({ code: "INPUT_INVALID" });
    expect(await ledger()).toEqual([]);
  });

  it("refuses an image that holds another model", async () => {
    await attach(built("1"));
    const { outputs } = await promote("record", { ...inputs(), model: "other" });
    expect(outputs).toMatchObject({
      code: "MODEL_OTHER",
      reason: expect.stringContaining(`holds model '${model}', not 'other'`),
    });
    expect(await ledger()).toEqual([]);
  });

  it("moves no alias without a model registry", async () => {
    await attach(built("1"));
    const before = await champion();
    const { outputs } = await promote("record", { image: image.digest, alias: "champion", environment: "canary" });
    expect(outputs).toMatchObject({ verdict: "pass", reason: `${model} version 1 is in canary` });
    expect(await champion()).toBe(before);
    expect(await ledger()).toMatchObject([{ environment: "canary", details: { model: { version: "1" } } }]);
  });
});

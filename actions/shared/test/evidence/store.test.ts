import { describe, expect, it } from "vitest";
import { Log } from "../../src/action-runtime/log.ts";
import { Redactor } from "../../src/action-runtime/redaction.ts";
import { recordFinding } from "../../src/evidence/record.ts";
import { attachStatement, evidenceArtifactType, readStatements } from "../../src/evidence/store.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { type Descriptor, type ImageIndex, mediaTypes } from "../../src/oci/manifest.ts";
import type { ImageReference } from "../../src/oci/reference.ts";
import type { RegistryClient } from "../../src/oci/registry.ts";
import { type LittleRegistryOptions, type Seen, startRegistry } from "../oci/little-registry.ts";
import { pushTinyImage, statementOf } from "./statements.ts";

async function start(options?: LittleRegistryOptions) {
  const registry = await startRegistry(options);
  const client = registry.client();
  const image = await pushTinyImage(client, "image");
  return { registry, client, image, tag: image.digest.replace(":", "-") };
}

const reasons = async (client: RegistryClient, { digest }: ImageReference) =>
  (await readStatements(client, digest)).map(({ predicate }) => predicate.reason);

describe("a registry with the referrers API", () => {
  it("keeps the list of statements itself", async () => {
    const { registry, client, image, tag } = await start({ referrers: true });
    await attachStatement(client, image, statementOf(image));
    expect(await readStatements(client, image.digest)).toEqual([statementOf(image)]);
    expect(registry.manifests.has(tag)).toBe(false);
  });

  it("may have other referrers too, which are not read", async () => {
    const { registry, client, image } = await start({ referrers: true });
    const subject = { mediaType: mediaTypes.manifest, digest: image.digest, size: 1 };
    const signature = Buffer.from(JSON.stringify({ artifactType: "application/vnd.other", subject, layers: [] }));
    await client.putManifest(signature, mediaTypes.manifest);
    await attachStatement(client, image, statementOf(image));
    expect(await reasons(client, image)).toHaveLength(1);
    expect(registry.asked(`GET /v2/acme/digits/manifests/${digestOf(signature)}`)).toEqual([]);
  });
});

describe("a registry without it", () => {
  it("gets the list under the tag that the specification names", async () => {
    const { registry, client, image, tag } = await start();
    const attached = await attachStatement(client, image, statementOf(image));
    const index = JSON.parse(registry.manifests.get(tag)?.bytes.toString() ?? "") as ImageIndex;
    expect(index).toMatchObject({
      mediaType: mediaTypes.index,
      manifests: [{ digest: attached, artifactType: evidenceArtifactType, mediaType: mediaTypes.manifest }],
    });
  });

  it("gets a statement listed once, however often it is attached", async () => {
    const { registry, client, image, tag } = await start();
    for (let times = 0; times < 2; times += 1) await attachStatement(client, image, statementOf(image));
    expect(await reasons(client, image)).toHaveLength(1);
    expect(registry.asked(`PUT /v2/acme/digits/manifests/${tag}`)).toHaveLength(1);
  });

  it("gets the list written again when another run's write took ours away", async () => {
    let taken = 2;
    const answer = ({ method, url }: Seen) =>
      method === "PUT" && url.includes("/manifests/sha256-") && taken-- > 0 ? { status: 201 } : undefined;
    const { client, image } = await start({ answer });
    await attachStatement(client, image, statementOf(image));
    expect(await reasons(client, image)).toHaveLength(1);
  });

  it("that is slow does not lose a statement to a run that had read the list before", async () => {
    const answer = async ({ method, url }: Seen) => {
      const slow = method === "PUT" && url.includes("/manifests/sha256-");
      return void (await new Promise((wake) => setTimeout(wake, slow ? 600 : 0)));
    };
    const { client, image } = await start({ answer });
    const first = attachStatement(client, image, statementOf(image, { minute: 1 }));
    await new Promise((wake) => setTimeout(wake, 450));
    await Promise.all([first, attachStatement(client, image, statementOf(image, { minute: 2 }))]);
    expect(await reasons(client, image)).toHaveLength(2);
  });

  it("whose list is overwritten each time makes the verdict inconclusive", async () => {
    const answer = ({ method, url }: Seen) =>
      method === "PUT" && url.includes("/manifests/sha256-") ? { status: 201 } : undefined;
    const { client, image } = await start({ answer });
    const clock = { now: () => 0, sleep: () => Promise.resolve() };
    await expect(attachStatement(client, image, statementOf(image), clock)).rejects.toMatchObject({
      code: "EVIDENCE_NOT_STORED",
      blame: "inconclusive",
    });
  });
});

describe("statements that are not about the image", () => {
  /** Lists a statement of this text, as whoever may push could. */
  async function smuggle(client: RegistryClient, image: ImageReference, text: string, change: object = {}) {
    const bytes = Buffer.from(text);
    const layer = { mediaType: "application/vnd.in-toto+json", digest: digestOf(bytes), size: bytes.length };
    await client.putBlob({ ...layer, open: () => new Uint8Array(bytes) });
    const subject = { mediaType: mediaTypes.manifest, digest: image.digest, size: 1 };
    const manifest = Buffer.from(
      JSON.stringify({ artifactType: evidenceArtifactType, layers: [layer], subject, ...change }),
    );
    const { digest } = await client.putManifest(manifest, mediaTypes.manifest);
    return {
      mediaType: mediaTypes.manifest,
      digest,
      size: manifest.length,
      artifactType: evidenceArtifactType,
      ...change,
    };
  }

  async function list(client: RegistryClient, image: ImageReference, manifests: readonly Descriptor[]) {
    const index = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests }));
    await client.putManifest(index, mediaTypes.index, image.digest.replace(":", "-"));
  }

  it("or are malformed, are left out, and the others are read", async () => {
    const { client, image } = await start();
    const other = { ...image, digest: digestOf("another image") };
    const good = JSON.stringify(statementOf(image));
    const subject = { mediaType: mediaTypes.manifest, digest: other.digest, size: 1 };
    await list(client, image, [
      await smuggle(client, image, JSON.stringify(statementOf(other))),
      await smuggle(client, image, good.replace("says pass", "listed under another type"), { artifactType: "x" }),
      await smuggle(client, image, good.replace("says pass", "of another subject"), { subject }),
      await smuggle(client, image, good.replace('"details":{}', '"details":null')),
      await smuggle(client, image, "{"),
      await smuggle(client, image, good, { layers: [] }),
      await smuggle(client, image, good, { layers: undefined }),
      await smuggle(client, image, good.replace("says pass", "is too long") + " ".repeat(1_048_577)),
      { mediaType: mediaTypes.manifest, digest: digestOf("gone"), size: 1, artifactType: evidenceArtifactType },
      await smuggle(client, image, good),
    ]);
    expect(await reasons(client, image)).toEqual(["integration-test says pass at 0"]);
  });

  it("cannot make a list that is no list", async () => {
    const { client, image } = await start();
    await client.putManifest(Buffer.from("{}"), mediaTypes.index, image.digest.replace(":", "-"));
    expect(await readStatements(client, image.digest)).toEqual([]);
    await attachStatement(client, image, statementOf(image));
    expect(await reasons(client, image)).toHaveLength(1);
  });
});

describe("an image that is not in the registry", () => {
  it("gets no statement", async () => {
    const { registry, client, image } = await start();
    const absent = { ...image, digest: digestOf("absent") };
    await expect(attachStatement(client, absent, statementOf(absent))).rejects.toMatchObject({
      code: "IMAGE_NOT_FOUND",
      message: expect.stringContaining(absent.digest),
    });
    expect(registry.asked("PUT /v2/acme/digits/manifests")).toHaveLength(1);
    expect(await readStatements(client, absent.digest)).toEqual([]);
  });
});

describe("recordFinding", () => {
  it("attaches the verdict with its run and time, and without secrets", async () => {
    const { client, image } = await start();
    const redactor = new Redactor(() => undefined);
    redactor.add("hunter22");
    const clock = { now: () => Date.UTC(2026, 1, 2), sleep: () => Promise.resolve() };
    const environment = {
      GITHUB_REPOSITORY: "acme/digits",
      GITHUB_RUN_ID: "7",
      GITHUB_SHA: "abc",
      GITHUB_ACTOR: "ada",
    };
    const finding = {
      stage: "helm-deploy",
      environment: "staging",
      verdict: "fail",
      reason: "hunter22 leaked",
    } as const;
    const log = new Log(redactor, () => undefined);
    await recordFinding(
      client,
      image,
      { ...finding, details: { seen: ["hunter22"] } },
      { clock, environment, redactor, log },
    );
    expect((await readStatements(client, image.digest)).map(({ predicate }) => predicate)).toEqual([
      {
        stage: "helm-deploy",
        environment: "staging",
        verdict: "fail",
        reason: "*** leaked",
        finishedAt: "2026-02-02T00:00:00.000Z",
        run: { repository: "acme/digits", workflow: "", runId: "7", attempt: "", commit: "abc", actor: "ada" },
        details: { seen: ["***"] },
      },
    ]);
  });
});

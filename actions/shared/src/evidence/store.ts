import { type Clock, systemClock } from "../action-runtime/clock.ts";
import { ActionError } from "../action-runtime/error.ts";
import type { Digest } from "../oci/digest.ts";
import { digestOf } from "../oci/digest.ts";
import { type Descriptor, type ImageIndex, type ImageManifest, mediaTypes } from "../oci/manifest.ts";
import { formatImage, type ImageReference } from "../oci/reference.ts";
import type { RegistryClient, StoredManifest } from "../oci/registry.ts";
import { readStatement, type StageStatement } from "./statement.ts";

export const evidenceArtifactType = "application/vnd.mlops-actions.evidence.v1";
const statementMediaType = "application/vnd.in-toto+json";
const emptyConfig = Buffer.from("{}");

/**
 * Attaches a statement to its image in the registry, as a referrer (OCI image specification 1.1, "Guidelines for artifact
 * usage"), so that it travels with the image, outlives the workflow run, and is there for a later promotion.
 *
 * Where the registry does not keep referrers itself, their list is the tag that the distribution specification names for
 * that ("Referrers Tag Schema"). Adding to it is read-modify-write without a lock, so the list is read back, and written
 * again if another run's write took ours away.
 */
export async function attachStatement(
  registry: RegistryClient,
  image: ImageReference,
  statement: StageStatement,
  clock: Clock = systemClock,
): Promise<Digest> {
  const subject = await describeSubject(registry, image);
  const bytes = Buffer.from(JSON.stringify(statement));
  const layer: Descriptor = { mediaType: statementMediaType, digest: digestOf(bytes), size: bytes.length };
  const config: Descriptor = { mediaType: mediaTypes.empty, digest: digestOf(emptyConfig), size: emptyConfig.length };
  await registry.putBlob({ ...config, open: () => new Uint8Array(emptyConfig) });
  await registry.putBlob({ ...layer, open: () => new Uint8Array(bytes) });
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: evidenceArtifactType,
    config,
    layers: [layer],
    subject,
    annotations: { "org.opencontainers.image.created": statement.predicate.finishedAt },
  };
  const stored = await registry.putManifest(Buffer.from(JSON.stringify(manifest)), mediaTypes.manifest);
  if (!stored.listsReferrers)
    await addToReferrersTag(registry, image.digest, describeReferrer(stored, manifest), clock);
  return stored.digest;
}

async function describeSubject(registry: RegistryClient, image: ImageReference): Promise<Descriptor> {
  const manifest = await registry.getManifest(image.digest);
  if (manifest) return { mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.bytes.length };
  throw new ActionError("IMAGE_NOT_FOUND", {
    message: `image ${formatImage(image)} is not in the registry`,
    remedy: "pass the digest that build-scan pushed; if a retention policy removed it, build it again",
  });
}

function describeReferrer(stored: StoredManifest, manifest: ImageManifest): Descriptor {
  return {
    mediaType: stored.mediaType,
    digest: stored.digest,
    size: stored.bytes.length,
    artifactType: evidenceArtifactType,
    annotations: manifest.annotations ?? {},
  };
}

function referrersTag(digest: Digest): string {
  return digest.replace(":", "-");
}

async function referrersFromTag(registry: RegistryClient, digest: Digest): Promise<readonly Descriptor[]> {
  const stored = await registry.getManifest(referrersTag(digest));
  if (stored === undefined) return [];
  const list = readJson<ImageIndex>(stored.bytes);
  return Array.isArray(list?.manifests) ? list.manifests : [];
}

/** What others wrote, if it is an object in JSON. */
function readJson<T>(bytes: Buffer): Partial<T> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

async function addToReferrersTag(registry: RegistryClient, digest: Digest, referrer: Descriptor, clock: Clock) {
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    const began = clock.now();
    const listed = await referrersFromTag(registry, digest);
    if (listed.some((entry) => entry.digest === referrer.digest)) return;
    const index: ImageIndex = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [...listed, referrer] };
    await registry.putManifest(Buffer.from(JSON.stringify(index)), mediaTypes.index, referrersTag(digest));
    // Whoever read the list before we wrote it has written by now, if the registry is as slow for them as for us.
    const patience = Math.max(100 * attempt, 2 * (clock.now() - began));
    await clock.sleep(patience * (0.5 + Math.random()));
    if ((await referrersFromTag(registry, digest)).some((entry) => entry.digest === referrer.digest)) return;
  }
  throw new ActionError("EVIDENCE_NOT_STORED", {
    message: `the evidence ${referrer.digest} could not be added to the list of referrers of ${digest}: others kept overwriting it`,
    remedy: "re-run this job; let only one run at a time work on one digest (concurrency)",
    blame: "inconclusive",
  });
}

/**
 * Every statement about an image that is attached to it in the registry, oldest first. What is malformed, is about something
 * else or claims to come from the future is left out.
 */
export async function readStatements(
  registry: RegistryClient,
  digest: Digest,
  clock: Pick<Clock, "now"> = systemClock,
): Promise<readonly StageStatement[]> {
  const image = { ...registry.repository, digest };
  const fromApi = await registry.getReferrers(digest, evidenceArtifactType);
  const referrers = fromApi ?? (await referrersFromTag(registry, digest));
  const statements: StageStatement[] = [];
  for (const referrer of referrers.filter(({ artifactType }) => artifactType === evidenceArtifactType)) {
    const stored = await registry.getManifest(referrer.digest);
    if (stored === undefined) continue;
    const manifest = readJson<ImageManifest>(stored.bytes);
    const layer = manifest?.layers?.find(
      ({ mediaType, size }) => mediaType === statementMediaType && size <= 1_048_576,
    );
    if (manifest?.subject?.digest !== digest || layer === undefined) continue;
    const statement = readStatement((await registry.getBlob(layer.digest)).toString("utf8"), image, clock.now());
    if (statement) statements.push(statement);
  }
  return statements.sort((a, b) => Date.parse(a.predicate.finishedAt) - Date.parse(b.predicate.finishedAt));
}

import type { Verdict } from "../../src/action-runtime/verdict.ts";
import { type Stage, type StageStatement, stageStatement } from "../../src/evidence/statement.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/manifest.ts";
import type { ImageReference } from "../../src/oci/reference.ts";
import type { RegistryClient } from "../../src/oci/registry.ts";

const run = { repository: "acme/digits", workflow: "pipeline", runId: "1", attempt: "1", commit: "c", actor: "ada" };

export interface StatementOptions {
  readonly stage?: Stage;
  readonly verdict?: Verdict;
  readonly environment?: string;
  /** Minutes after a fixed moment. */
  readonly minute?: number;
  readonly details?: Readonly<Record<string, unknown>>;
}

export function statementOf(image: ImageReference, options: StatementOptions = {}): StageStatement {
  const { stage = "integration-test", verdict = "pass", environment, minute = 0, details = {} } = options;
  return stageStatement(image, {
    stage,
    ...(environment === undefined ? {} : { environment }),
    verdict,
    reason: `${stage} says ${verdict} at ${minute}`,
    finishedAt: new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString(),
    run,
    details,
  });
}

/** Pushes an image without layers, of which every `what` makes another digest. */
export async function pushTinyImage(registry: RegistryClient, what: string): Promise<ImageReference> {
  const config = Buffer.from(
    JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] }, what }),
  );
  const descriptor = {
    mediaType: "application/vnd.oci.image.config.v1+json",
    digest: digestOf(config),
    size: config.length,
  };
  await registry.putBlob({ ...descriptor, open: () => new Uint8Array(config) });
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config: descriptor, layers: [] };
  const { digest } = await registry.putManifest(Buffer.from(JSON.stringify(manifest)), mediaTypes.manifest);
  return { ...registry.repository, digest };
}

import type { WorkloadProgress } from "../../shared/src/kubernetes/rollout.ts";
import { ImageIdentity } from "../../shared/src/kubernetes/running-image.ts";
import { shortDigest } from "../../shared/src/oci/digest.ts";
import type { ImageReference } from "../../shared/src/oci/reference.ts";
import type { RegistryClient } from "../../shared/src/oci/registry.ts";

/** Why the live pods are not those of the image; undefined when they are. */
export interface Mismatch {
  readonly reason: string;
  readonly remedy: string;
}

/**
 * Compares the live pods with the image that was asked for. That Helm ended well is not enough: a chart may ignore the keys
 * it was given, and an upgrade has returned success while the old pods went on (helm/helm#11203).
 */
export async function verifyLiveImage(
  progress: readonly WorkloadProgress[],
  image: ImageReference,
  registry: RegistryClient,
): Promise<Mismatch | undefined> {
  const pods = progress
    .flatMap((workload) => workload.pods)
    .filter((pod) => (pod.spec?.containers ?? []).some((container) => container.image?.endsWith(`@${image.digest}`)));
  if (pods.length === 0)
    return {
      reason: `no pod of the release runs ${shortDigest(image.digest)}, although helm ended well`,
      remedy: "check repository-key and digest-key against the chart's values, and that it makes at least one pod",
    };
  const [stranger] = await new ImageIdentity(registry, image).strangers(pods);
  if (!stranger) return undefined;
  const found = stranger.digest ? shortDigest(stranger.digest) : "no image yet";
  return {
    reason: `pod ${stranger.pod} runs ${found}, not ${shortDigest(image.digest)}`,
    remedy: "see whether a mutating webhook or a registry mirror replaces images in this cluster",
  };
}

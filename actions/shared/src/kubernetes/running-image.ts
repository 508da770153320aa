import { type Digest, isDigest } from "../oci/digest.ts";
import { type ImageIndex, type ImageManifest, isIndex } from "../oci/manifest.ts";
import type { ImageReference } from "../oci/reference.ts";
import type { RegistryClient } from "../oci/registry.ts";
import type { Pod } from "./objects.ts";

/** What a running container says about its image. */
export interface RunningImage {
  readonly pod: string;
  readonly container: string;
  /** Digest that the runtime reports for what it runs; undefined before it runs. */
  readonly digest: Digest | undefined;
}

/** The images of a pod's containers, as the runtime reports them (not as the specification asks for). */
export function runningImages(pod: Pod): RunningImage[] {
  return (pod.status?.containerStatuses ?? []).map(({ name, imageID }) => {
    const digest = imageID.slice(imageID.lastIndexOf("@") + 1);
    return { pod: pod.metadata?.name ?? "", container: name, digest: isDigest(digest) ? digest : undefined };
  });
}

/**
 * Says of a running image whether it is the asked one. A runtime may report the digest of an index or that of the
 * platform's image in it, and, where two manifests have one content, that of the other: images of one configuration digest
 * are the same image, since it covers every layer (OCI image specification, config.md, "rootfs").
 */
export class ImageIdentity {
  readonly #registry: RegistryClient;
  readonly #image: ImageReference;
  readonly #known = new Map<Digest, Promise<ReadonlySet<Digest>>>();

  constructor(registry: RegistryClient, image: ImageReference) {
    this.#registry = registry;
    this.#image = image;
  }

  async isSame(running: Digest): Promise<boolean> {
    if (running === this.#image.digest) return true;
    const asked = await this.#configurations(this.#image.digest);
    if (asked.has(running)) return true;
    const live = await this.#configurations(running);
    return [...live].some((digest) => asked.has(digest));
  }

  /** Pods in which no container runs the asked image. */
  async strangers(pods: readonly Pod[]): Promise<RunningImage[]> {
    const strangers: RunningImage[] = [];
    for (const pod of pods) {
      const images = runningImages(pod);
      const same = await Promise.all(images.map(({ digest }) => digest !== undefined && this.isSame(digest)));
      const none = { pod: pod.metadata?.name ?? "", container: "", digest: undefined };
      if (!same.includes(true)) strangers.push(images[0] ?? none);
    }
    return strangers;
  }

  #configurations(digest: Digest): Promise<ReadonlySet<Digest>> {
    const known = this.#known.get(digest) ?? this.#readConfigurations(digest);
    this.#known.set(digest, known);
    return known;
  }

  async #readConfigurations(digest: Digest): Promise<ReadonlySet<Digest>> {
    const stored = await this.#registry.getManifest(digest);
    if (stored === undefined) return new Set();
    const manifest = JSON.parse(stored.bytes.toString("utf8")) as ImageManifest & ImageIndex;
    if (!isIndex(stored.mediaType)) return new Set([manifest.config.digest]);
    const children = manifest.manifests.filter(({ platform }) => platform?.os !== "unknown");
    const inner = await Promise.all(children.map((child) => this.#configurations(child.digest)));
    return new Set(inner.flatMap((set) => [...set]));
  }
}

import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { ActionError } from "../action-runtime/error.ts";
import type { Digest } from "./digest.ts";
import { digestOf } from "./digest.ts";
import { type Descriptor, type ImageIndex, type ImageManifest, isIndex } from "./manifest.ts";
import type { RegistryClient } from "./registry.ts";

/** An image as a folder: OCI image specification, image-layout.md. */
export class ImageLayout {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** The descriptor of the one image in the layout. @throws ActionError `IMAGE_LAYOUT_INVALID` */
  async root(): Promise<Descriptor> {
    const index = await this.#json<ImageIndex>(join(this.folder, "index.json"));
    const [only, ...others] = index.manifests;
    if (only === undefined || others.length > 0)
      throw invalid(this.folder, `it holds ${index.manifests.length} images, not one`);
    return only;
  }

  blobPath(digest: Digest): string {
    return join(this.folder, "blobs", "sha256", digest.slice("sha256:".length));
  }

  /** The bytes of a manifest, checked against its digest. */
  async manifestBytes(digest: Digest): Promise<Buffer> {
    const bytes = await readFile(this.blobPath(digest)).catch(() => undefined);
    if (bytes === undefined || digestOf(bytes) !== digest)
      throw invalid(this.folder, `manifest ${digest} is missing or damaged`);
    return bytes;
  }

  /**
   * Pushes exactly the bytes of this layout: blobs first, manifests last and from the leaves up, so that a push that was
   * cut short leaves no image that lacks a part. Returns the digest and how many bytes were sent.
   */
  async push(registry: RegistryClient, tag?: string): Promise<{ digest: Digest; sentBytes: number }> {
    const root = await this.root();
    let sentBytes = 0;
    const pushManifest = async (descriptor: Descriptor, name?: string): Promise<void> => {
      const bytes = await this.manifestBytes(descriptor.digest);
      const manifest = JSON.parse(bytes.toString("utf8")) as ImageManifest & ImageIndex;
      if (isIndex(descriptor.mediaType)) for (const child of manifest.manifests) await pushManifest(child);
      else for (const blob of [manifest.config, ...manifest.layers]) sentBytes += await this.#pushBlob(registry, blob);
      await registry.putManifest(bytes, descriptor.mediaType, name);
    };
    await pushManifest(root, tag);
    return { digest: root.digest, sentBytes };
  }

  async #pushBlob(registry: RegistryClient, { digest, size }: Descriptor): Promise<number> {
    const path = this.blobPath(digest);
    const found = await stat(path).catch(() => undefined);
    if (found?.size !== size)
      throw invalid(this.folder, `blob ${digest} is missing or has another size than its manifest says`);
    const open = () => Readable.toWeb(createReadStream(path)) as ReadableStream;
    return (await registry.putBlob({ digest, size, open })) ? size : 0;
  }

  async #json<T>(path: string): Promise<T> {
    try {
      return JSON.parse(await readFile(path, "utf8")) as T;
    } catch (cause) {
      throw invalid(this.folder, `${path} cannot be read`, cause);
    }
  }
}

function invalid(folder: string, why: string, cause?: unknown): ActionError {
  return new ActionError("IMAGE_LAYOUT_INVALID", {
    message: `the built image in ${folder} is not a whole OCI layout: ${why}`,
    remedy: "build it again; if it comes back, the builder's OCI exporter is at fault",
    blame: "inconclusive",
    cause,
  });
}

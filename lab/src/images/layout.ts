import { createHash } from "node:crypto";
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { LabError } from "../progress/error.ts";

export const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";
const CONFIG_TYPE = "application/vnd.oci.image.config.v1+json";
const LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip";
/** Fast, and within a few percent of the usual level 6. */
const GZIP_LEVEL = 4;

/** A reference to content by its digest. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** One image in an OCI image layout. */
export interface Layout {
  readonly digest: string;
  /** The manifest, byte for byte, and its media type. */
  readonly manifest: Buffer;
  readonly mediaType: string;
  /** The configuration and the layers. */
  readonly blobs: readonly Descriptor[];
  /** The file of a blob. */
  file(digest: string): string;
}

/** A layer on its way into an image. */
export interface Layer extends Descriptor {
  /** The digest of the layer before compression. */
  readonly diffId: string;
}

function blobFile(folder: string, digest: string): string {
  return join(folder, "blobs", ...digest.split(":"));
}

export function sha256(content: Buffer | string): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

/** Begins an image layout in an empty folder. */
export function makeLayout(folder: string): void {
  mkdirSync(join(folder, "blobs", "sha256"), { recursive: true });
  writeFileSync(join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
}

/** Compresses a tar stream into a layer of the layout. The same tar gives the same digest. */
export async function addLayer(folder: string, tar: Readable): Promise<Layer> {
  const plain = createHash("sha256");
  const compressed = createHash("sha256");
  const partial = join(folder, "blobs", `partial-${process.hrtime.bigint()}`);
  tar.on("data", (chunk: Buffer) => plain.update(chunk));
  const gzip = createGzip({ level: GZIP_LEVEL });
  gzip.on("data", (chunk: Buffer) => compressed.update(chunk));
  await pipeline(tar, gzip, createWriteStream(partial));
  const digest = `sha256:${compressed.digest("hex")}`;
  const { size } = statSync(partial);
  renameSync(partial, blobFile(folder, digest));
  return { mediaType: LAYER_TYPE, digest, size, diffId: `sha256:${plain.digest("hex")}` };
}

function addBlob(folder: string, mediaType: string, content: string): Descriptor {
  const digest = sha256(content);
  writeFileSync(blobFile(folder, digest), content);
  return { mediaType, digest, size: Buffer.byteLength(content) };
}

/** How containers of the image run, in the words of the OCI image configuration. */
export interface RunConfiguration {
  readonly User?: string;
  readonly Env: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly WorkingDir: string;
  readonly Labels: Readonly<Record<string, string>>;
}

/** Finishes an image: writes its configuration, its manifest and the layout's index. */
export function finishLayout(
  folder: string,
  layers: readonly Layer[],
  config: RunConfiguration,
  created: string,
): void {
  const configuration = addBlob(
    folder,
    CONFIG_TYPE,
    JSON.stringify({
      created,
      architecture: "amd64",
      os: "linux",
      config,
      rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
      history: layers.map(() => ({ created, created_by: "mlops-actions lab" })),
    }),
  );
  const manifest = addBlob(
    folder,
    MANIFEST_TYPE,
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: configuration,
      layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
      annotations: config.Labels,
    }),
  );
  writeIndex(folder, manifest);
}

/** Writes the index that names the layout's only image. */
export function writeIndex(folder: string, manifest: Descriptor): void {
  writeFileSync(
    join(folder, "index.json"),
    JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [manifest] }),
  );
}

/** Reads a layout with one image. @throws LabError LAYOUT_DAMAGED. */
export function readLayout(folder: string): Layout {
  const index = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")) as { manifests: Descriptor[] };
  const [descriptor] = index.manifests;
  const manifest = descriptor && readFileSync(blobFile(folder, descriptor.digest));
  if (!manifest || sha256(manifest) !== descriptor.digest) {
    throw new LabError("LAYOUT_DAMAGED", `the cached image in ${folder} is damaged`, {
      remedy: `remove ${folder} and run the command again`,
    });
  }
  const { config, layers } = JSON.parse(manifest.toString("utf8")) as Manifest;
  return {
    digest: descriptor.digest,
    manifest,
    mediaType: descriptor.mediaType,
    blobs: [config, ...layers],
    file: (digest) => blobFile(folder, digest),
  };
}

/** Stores content under its digest while it is read. @throws LabError DIGEST_MISMATCH when it is not what it should be. */
export async function storeBlob(folder: string, expected: Descriptor, content: Readable): Promise<void> {
  const hash = createHash("sha256");
  const partial = join(folder, "blobs", `partial-${expected.digest.slice(7, 19)}`);
  content.on("data", (chunk: Buffer) => hash.update(chunk));
  await pipeline(content, createWriteStream(partial));
  const digest = `sha256:${hash.digest("hex")}`;
  if (digest !== expected.digest) {
    throw new LabError("DIGEST_MISMATCH", `a registry sent ${digest} for ${expected.digest}`, {
      remedy: "run the command again",
    });
  }
  renameSync(partial, blobFile(folder, digest));
}

/** A blob's content. */
export function openBlob(layout: Layout, digest: string): Readable {
  return createReadStream(layout.file(digest));
}

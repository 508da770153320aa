import { execFileSync } from "node:child_process";
import { createReadStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { BASE_IMAGES } from "../../lab/src/images/base-image-names.ts";
import {
  addLayer,
  type Descriptor,
  finishLayout,
  type Layer,
  MANIFEST_TYPE,
  makeLayout,
  type RunConfiguration,
  readLayout,
  sha256,
  storeBlob,
} from "../../lab/src/images/layout.ts";
import { Registry } from "../../lab/src/images/registry.ts";
import { assemble } from "../../serving/image/assemble.ts";

/** As the server's Dockerfile has it. */
const IMAGE_ENVIRONMENT = [
  "NODE_ENV=production",
  "MALLOC_ARENA_MAX=2",
  "ORT_DISABLE_TELEMETRY=1",
  "MODEL_REPOSITORY=/models",
];

interface BaseImage {
  readonly layers: readonly Layer[];
  readonly config: RunConfiguration;
}

/** Layers and configuration of the image that the server's Dockerfile builds on, copied from the lab's registry. */
async function copyBase(registry: Registry, layout: string): Promise<BaseImage> {
  const { repository, tag } = BASE_IMAGES.distroless;
  const manifest = await registry.manifest(repository, tag);
  if (!manifest) throw new Error(`the lab's registry has no ${repository}:${tag}`);
  const parts = JSON.parse(manifest.content.toString()) as { config: Descriptor; layers: Descriptor[] };
  for (const part of parts.layers) await storeBlob(layout, part, await registry.blob(repository, part.digest));
  const text = Buffer.concat(await (await registry.blob(repository, parts.config.digest)).toArray()).toString();
  const { rootfs, config } = JSON.parse(text) as { rootfs: { diff_ids: string[] }; config: RunConfiguration };
  return { layers: parts.layers.map((part, index) => ({ ...part, diffId: rootfs.diff_ids[index] ?? "" })), config };
}

async function layerOf(folder: string, layout: string): Promise<Layer> {
  const tar = `${folder}.tar`;
  const flags = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
  execFileSync("tar", ["-cf", tar, ...flags, "-C", folder, "."]);
  return addLayer(layout, createReadStream(tar));
}

/**
 * Pushes images of the server, as its Dockerfile would make them, each with its own models.
 *
 * @param address the lab's registry, `127.0.0.1:PORT`
 * @param images for each image its models, by path below `/models`
 * @returns the digest of each
 */
export async function pushServerImages<Name extends string>(
  address: string,
  repository: string,
  images: Readonly<Record<Name, Readonly<Record<string, Buffer>>>>,
): Promise<Record<Name, string>> {
  const scratch = mkdtempSync(join(tmpdir(), "server-image-"));
  try {
    const registry = new Registry(`http://${address}`);
    await assemble(join(scratch, "server/app"));
    const digests: [string, string][] = [];
    for (const [name, models] of Object.entries<Readonly<Record<string, Buffer>>>(images)) {
      const layout = join(scratch, `layout-${name}`);
      makeLayout(layout);
      const base = await copyBase(registry, layout);
      const folder = join(scratch, `models-${name}`);
      for (const [path, content] of Object.entries(models)) write(join(folder, "models", path), content);
      const layers = [...base.layers, await layerOf(join(scratch, "server"), layout), await layerOf(folder, layout)];
      const config = {
        ...base.config,
        Env: [...base.config.Env, ...IMAGE_ENVIRONMENT],
        Entrypoint: ["/nodejs/bin/node", "/app/src/main.js"],
        WorkingDir: "/app",
      };
      finishLayout(layout, layers, config, new Date(0).toISOString());
      const finished = readLayout(layout);
      await registry.push(repository, name, finished);
      digests.push([name, finished.digest]);
    }
    return Object.fromEntries(digests) as Record<Name, string>;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * Pushes an image that holds nothing but those files: what `FROM scratch` and `COPY` make.
 *
 * @returns its digest
 */
export async function pushFilesImage(
  address: string,
  repository: string,
  files: Readonly<Record<string, Buffer>>,
): Promise<string> {
  const scratch = mkdtempSync(join(tmpdir(), "files-image-"));
  try {
    const layout = join(scratch, "layout");
    makeLayout(layout);
    for (const [path, content] of Object.entries(files)) write(join(scratch, "files", path), content);
    const layer = await layerOf(join(scratch, "files"), layout);
    finishLayout(layout, [layer], { Env: [], WorkingDir: "/", Labels: {} }, new Date(0).toISOString());
    const finished = readLayout(layout);
    await new Registry(`http://${address}`).push(repository, "files", finished);
    return finished.digest;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * Pushes one file as an OCI artifact, whose bytes anybody can then fetch by HTTP.
 *
 * @returns the artifact's digest, and the path of the file's url in the registry
 */
export async function pushFile(
  address: string,
  repository: string,
  content: Buffer,
): Promise<{ digest: string; path: string }> {
  const blobs = [
    { content: Buffer.from("{}"), mediaType: "application/vnd.oci.empty.v1+json" },
    { content, mediaType: "application/octet-stream" },
  ].map((blob) => ({ ...blob, digest: sha256(blob.content), size: blob.content.length }));
  const [config, file] = blobs.map(({ content: _, ...descriptor }) => descriptor);
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config,
      layers: [file],
      artifactType: "application/onnx",
    }),
  );
  const scratch = mkdtempSync(join(tmpdir(), "artifact-"));
  try {
    for (const blob of blobs) writeFileSync(join(scratch, blob.digest), blob.content);
    const layout = { digest: sha256(manifest), manifest, mediaType: MANIFEST_TYPE, blobs };
    await new Registry(`http://${address}`).push(repository, "model", {
      ...layout,
      file: (digest) => join(scratch, digest),
    });
    return { digest: layout.digest, path: `/v2/${repository}/blobs/${sha256(content)}` };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function write(file: string, content: Buffer): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

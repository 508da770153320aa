import { lookup } from "node:dns/promises";
import { writeFileSync } from "node:fs";
import { isCancelled } from "../progress/error.ts";
import type { Progress } from "../progress/progress.ts";
import { fill, type Slot } from "../toolchain/cache.ts";
import { type BaseImageName, nameOf } from "./base-image-names.ts";
import { type Descriptor, makeLayout, sha256, storeBlob, writeIndex } from "./layout.ts";
import { Registry } from "./registry.ts";

/** Docker Hub answers under another name than the one in image references. */
const API_HOSTS: Readonly<Record<string, string>> = { "docker.io": "registry-1.docker.io" };
/** A name that takes longer to resolve belongs to a network that does not reach it. */
const RESOLVE_MS = 1500;

/** Where the real image is kept once it was pulled. */
export function upstreamSlot({ repository, tag }: BaseImageName): Slot {
  return { shelf: "images/upstream", key: `${repository.replaceAll("/", "-")}-${tag}` };
}

async function resolves(host: string): Promise<boolean> {
  const timeout = new Promise<false>((done) => setTimeout(done, RESOLVE_MS, false).unref());
  const answer = lookup(host.split(":")[0] ?? host).then(
    () => true,
    () => false,
  );
  return Promise.race([answer, timeout]);
}

/**
 * Pulls the real image for Linux on x64 into the cache.
 * @returns whether it could be had; why not, if its registry did answer, is said among the progress.
 */
export async function fetchUpstream(image: BaseImageName, progress: Progress): Promise<boolean> {
  const host = API_HOSTS[image.host] ?? image.host;
  if (!(await resolves(host))) return false;
  const loopback = /^(127\.|localhost)/.test(host);
  const registry = new Registry(`${loopback ? "http" : "https"}://${host}`);
  try {
    await progress.step(`base image ${nameOf(image)}`, (step) =>
      fill(upstreamSlot(image), step, (folder) => pull(registry, image, folder)),
    );
    return true;
  } catch (error) {
    if (isCancelled(error)) throw error;
    progress.say(`${nameOf(image)}: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

async function pull(registry: Registry, { repository, tag }: BaseImageName, folder: string): Promise<void> {
  const manifest = await registry.manifest(repository, tag);
  if (!manifest) throw new Error(`there is no ${repository}:${tag} for Linux on x64`);
  makeLayout(folder);
  const { config, layers } = JSON.parse(manifest.content.toString("utf8")) as {
    config: Descriptor;
    layers: Descriptor[];
  };
  for (const blob of [config, ...layers]) await storeBlob(folder, blob, await registry.blob(repository, blob.digest));
  const digest = sha256(manifest.content);
  writeFileSync(`${folder}/blobs/${digest.replace(":", "/")}`, manifest.content);
  writeIndex(folder, { mediaType: manifest.mediaType, digest, size: manifest.content.length });
}

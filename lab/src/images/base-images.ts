import { LabError } from "../progress/error.ts";
import type { Progress } from "../progress/progress.ts";
import { isFilled, slotFolder } from "../toolchain/cache.ts";
import type { Toolchain } from "../toolchain/toolchain.ts";
import { BASE_IMAGES, type BaseImageKey, nameOf } from "./base-image-names.ts";
import { readLayout } from "./layout.ts";
import { Registry } from "./registry.ts";
import { buildStandIns, standInLayout, standInSlot } from "./stand-ins.ts";
import { fetchUpstream, upstreamSlot } from "./upstream.ts";

/** A base image as the lab's registry has it. */
export interface BaseImage {
  /** The name in a Dockerfile, for example `docker.io/library/node:24-bookworm-slim`. */
  readonly name: string;
  /** The same image in the lab's registry. */
  readonly mirrored: string;
  readonly digest: string;
  /** Whether it was made here, because the real one could not be had. */
  readonly standIn: boolean;
}

const keys = Object.keys(BASE_IMAGES) as BaseImageKey[];

/** An image's folder in the cache, with what it holds. */
interface Prepared {
  readonly folder: string;
  readonly standIn: boolean;
}

function prepared(key: BaseImageKey): Prepared | undefined {
  const upstream = upstreamSlot(BASE_IMAGES[key]);
  if (isFilled(upstream)) return { folder: slotFolder(upstream), standIn: false };
  const standIn = standInSlot();
  return isFilled(standIn) ? { folder: standInLayout(key), standIn: true } : undefined;
}

/**
 * Puts the base images into the cache: the real ones where they can be had, else stand-ins. What is once in the cache is
 * used from then on, so that digests stay the same from run to run.
 * @param toolchain must have `debootstrap`.
 */
export async function prepareBaseImages(toolchain: Toolchain, progress: Progress): Promise<void> {
  const missing = keys.filter((key) => !prepared(key));
  const fetched = await Promise.all(missing.map((key) => fetchUpstream(BASE_IMAGES[key], progress)));
  const without = missing.filter((_, index) => !fetched[index]);
  if (without.length === 0) return;
  const names = without.map((key) => nameOf(BASE_IMAGES[key])).join(", ");
  progress.say(
    `stand-ins: ${names} cannot be pulled here; images of the same names are made from Debian packages instead`,
  );
  await progress.step("stand-in base images", (step) => buildStandIns(toolchain, step));
}

/**
 * Makes sure that a registry offers the base images under the names that a mirror has for them.
 * @param address of the registry on this machine, for example `127.0.0.1:5000`.
 * @throws LabError REGISTRY_REFUSED, or what making the images may throw.
 */
export async function ensureBaseImages(
  address: string,
  toolchain: Toolchain,
  progress: Progress,
): Promise<BaseImage[]> {
  await prepareBaseImages(toolchain, progress);
  const registry = new Registry(`http://${address}`);
  return Promise.all(
    keys.map(async (key): Promise<BaseImage> => {
      const { repository, tag } = BASE_IMAGES[key];
      const image = prepared(key);
      if (!image)
        throw new LabError("BASE_IMAGE_GONE", `${repository} left the cache while it was used`, {
          remedy: "run the same command again",
        });
      const layout = readLayout(image.folder);
      const name = nameOf(BASE_IMAGES[key]);
      if ((await registry.digestOf(repository, tag)) !== layout.digest) {
        await progress.step(`base image ${name}${image.standIn ? " (stand-in)" : ""}`, () =>
          registry.push(repository, tag, layout),
        );
      }
      return { name, mirrored: `${address}/${repository}:${tag}`, digest: layout.digest, standIn: image.standIn };
    }),
  );
}

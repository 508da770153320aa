import { ActionError } from "../../shared/src/action-runtime/error.ts";
import { parseDigest } from "../../shared/src/oci/digest.ts";
import {
  formatImage,
  formatRepository,
  type ImageReference,
  parseImageReference,
  parseRepository,
} from "../../shared/src/oci/reference.ts";
import type { RegistryClient } from "../../shared/src/oci/registry.ts";
import type { PromoteInputs } from "./inputs.ts";

/**
 * The image that is asked for: by digest where one is given, else what the tag names now. From here on it is a digest.
 *
 * @throws ActionError `IMAGE_OTHER_REPOSITORY`, `IMAGE_NOT_FOUND`, `DIGEST_INVALID`
 */
export async function findCandidate(given: PromoteInputs, registry: RegistryClient): Promise<ImageReference> {
  const repository = parseRepository(given.repository);
  if (given.operation === "nominate") {
    if (given.image === undefined) throw missing("image", "pass the digest that staging tested");
    if (given.tag === undefined) throw missing("tag", "pass the tag that a proven image gets, such as candidate");
  }
  if (given.image !== undefined) return stored(named(given.image, given.repository), registry);
  if (given.tag === undefined) throw missing("image' nor input 'tag", "pass the digest, or the tag that names it");
  const digest = await registry.resolveTag(given.tag);
  if (digest !== undefined) return { ...repository, digest };
  throw new ActionError("IMAGE_NOT_FOUND", {
    message: `${given.repository} has no tag '${given.tag}', so there is nothing to promote`,
    remedy: "run the pipeline to the end of staging first, or pass the digest to promote",
  });
}

/** A digest that is nowhere has no evidence either, but that is not what is wrong with it. */
async function stored(image: ImageReference, registry: RegistryClient): Promise<ImageReference> {
  if (await registry.getManifest(image.digest)) return image;
  throw new ActionError("IMAGE_NOT_FOUND", {
    message: `image ${formatImage(image)} is not in the registry`,
    remedy: "pass the digest that build-scan pushed; if a retention policy removed it, build it again",
  });
}

function missing(input: string, remedy: string): ActionError {
  return new ActionError("INPUT_INVALID", { message: `no input '${input}' was given`, remedy });
}

function named(image: string, repository: string): ImageReference {
  const reference = image.includes("@")
    ? parseImageReference(image)
    : { ...parseRepository(repository), digest: parseDigest(image) };
  if (formatRepository(reference) === formatRepository(parseRepository(repository))) return reference;
  throw new ActionError("IMAGE_OTHER_REPOSITORY", {
    message: `image ${formatRepository(reference)} is not ${repository}, which the descriptor names`,
    remedy: "promote a digest of this model's own image",
  });
}

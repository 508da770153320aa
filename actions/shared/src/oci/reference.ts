import { ActionError } from "../action-runtime/error.ts";
import { type Digest, parseDigest } from "./digest.ts";

/** A repository in a registry, such as `ghcr.io/acme/digits`. */
export interface Repository {
  /** Host, with the port if there is one. */
  readonly registry: string;
  readonly path: string;
}

/** One image, by the bytes of its manifest. There is no form of it with a tag. */
export interface ImageReference extends Repository {
  readonly digest: Digest;
}

const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const pathPattern = new RegExp(`^${component}(?:/${component})*$`);

/**
 * Reads `registry/path`. The registry must be named: what `digits` alone means depends on the tool that reads it.
 * Source of the grammar: OCI distribution specification, "Pulling manifests".
 *
 * @throws ActionError `IMAGE_NAME_INVALID`
 */
export function parseRepository(text: string): Repository {
  const slash = text.indexOf("/");
  const registry = text.slice(0, slash);
  const path = text.slice(slash + 1);
  const named = registry === "localhost" || /[.:]/.test(registry);
  if (slash > 0 && named && /^[A-Za-z0-9.:[\]-]+$/.test(registry) && pathPattern.test(path)) return { registry, path };
  throw new ActionError("IMAGE_NAME_INVALID", {
    message: `'${text.slice(0, 200)}' is not an image name with its registry`,
    remedy: "write it as registry/path in lower case and without a tag, such as ghcr.io/acme/digits",
  });
}

/** Reads `registry/path@sha256:…`. @throws ActionError `IMAGE_NAME_INVALID`, `DIGEST_INVALID` */
export function parseImageReference(text: string): ImageReference {
  const at = text.indexOf("@");
  return {
    ...parseRepository(at < 0 ? text : text.slice(0, at)),
    digest: parseDigest(at < 0 ? text : text.slice(at + 1)),
  };
}

export function formatRepository(repository: Repository): string {
  return `${repository.registry}/${repository.path}`;
}

export function formatImage(image: ImageReference): string {
  return `${formatRepository(image)}@${image.digest}`;
}

import { isDigest } from "../../shared/src/oci/digest.ts";
import { type ImageReference, parseRepository } from "../../shared/src/oci/reference.ts";
import type { Helm } from "./helm.ts";
import type { HelmDeployInputs } from "./inputs.ts";

/** The image that a revision's values name, or undefined where they name none by digest. */
export async function revisionImage(
  helm: Pick<Helm, "values">,
  inputs: Pick<HelmDeployInputs, "release" | "namespace" | "repository-key" | "digest-key">,
  revision: number,
): Promise<ImageReference | undefined> {
  const values = await helm.values(inputs.release, inputs.namespace, revision);
  const digest = valueAt(values, inputs["digest-key"]);
  const repository = valueAt(values, inputs["repository-key"]);
  return digest && repository && isDigest(digest) ? { ...parseRepository(repository), digest } : undefined;
}

/** The value at a key such as `image.digest`, written as for `helm --set` (`\.` is a dot in a name). */
export function valueAt(values: unknown, key: string): string | undefined {
  let current = values;
  for (const part of key.split(/(?<!\\)\./).map((name) => name.replaceAll("\\.", "."))) {
    if (current === null || typeof current !== "object") return undefined;
    current = (current as Readonly<Record<string, unknown>>)[part];
  }
  return typeof current === "string" ? current : undefined;
}

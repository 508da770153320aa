import type { BuildScanInputs } from "./inputs.ts";

/**
 * A tag from any text, such as a branch: characters that a tag cannot have become `-`, at most 128 of them.
 * Source of the grammar: OCI distribution specification, "Pulling manifests".
 */
export function tagName(text: string | undefined): string | undefined {
  const cleaned = text
    ?.replace(/[^\w.-]/g, "-")
    .replace(/^[.-]+/, "")
    .slice(0, 128);
  return cleaned === "" ? undefined : cleaned;
}

/** Labels of the image: OCI image specification, annotations.md; and which model is inside. */
export function imageLabels(
  given: Pick<BuildScanInputs, "model" | "model-version">,
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const { GITHUB_SHA, GITHUB_SERVER_URL, GITHUB_REPOSITORY } = environment;
  const labels: Record<string, string | undefined> = {
    "org.opencontainers.image.revision": GITHUB_SHA,
    "org.opencontainers.image.source":
      GITHUB_REPOSITORY && `${GITHUB_SERVER_URL ?? "https://github.com"}/${GITHUB_REPOSITORY}`,
    "io.mlops-actions.model": given.model,
    "io.mlops-actions.model-version": given["model-version"],
  };
  return Object.fromEntries(Object.entries(labels).filter((entry): entry is [string, string] => Boolean(entry[1])));
}

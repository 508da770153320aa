/** Which of a model's versions are served. */
export type VersionPolicy =
  | { readonly kind: "all" }
  /** The highest `count`. */
  | { readonly kind: "latest"; readonly count: number }
  /** These, by rising number, whether they are there or not. */
  | { readonly kind: "specific"; readonly versions: readonly string[] };

/** The versions that are to be served. @param present those in the model's folder, by rising number */
export function selectVersions(policy: VersionPolicy, present: readonly string[]): readonly string[] {
  switch (policy.kind) {
    case "all":
      return present;
    case "latest":
      return present.slice(-policy.count);
    case "specific":
      return policy.versions;
  }
}

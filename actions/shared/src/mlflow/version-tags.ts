/** Tag of a model version: the digest over all its files, see `filesDigest`. */
export const filesDigestTag = "mlops-actions.files-digest";

/** Tag of a model version: its files as a JSON list of `{path, size, digest}`. */
export const filesTag = "mlops-actions.files";

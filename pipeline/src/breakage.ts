import { LabError } from "../../lab/src/progress/error.ts";

/** What can be wrong with a release, as a realistic mistake in the model repository. */
export const breakages = ["model", "image", "dependency"] as const;
export type Breakage = (typeof breakages)[number];

/** A change to one text file of the model repository. */
export interface Edit {
  readonly file: string;
  /** Exactly one place in the file; absent: `replacement` is appended. */
  readonly find?: string;
  readonly replacement: string;
}

export interface BreakagePlan {
  readonly commitMessage: string;
  readonly edits: readonly Edit[];
  /** npm package, with its version, whose real files are put into `vendor/node_modules`. */
  readonly vendored?: string;
}

/**
 * Each breakage is something that happens: an export that forgets the scaler, a path that does not exist in the image, an
 * old dependency that nobody updated (minimist 1.2.5 has CVE-2021-44906, critical).
 */
export const breakagePlans: Readonly<Record<Breakage, BreakagePlan>> = {
  model: {
    commitMessage: "refactor: export the classifier by itself",
    edits: [{ file: "train.ipynb", find: "exported = pipeline\\n", replacement: "exported = pipeline[-1]\\n" }],
  },
  image: {
    commitMessage: "build: move the models to another folder",
    edits: [{ file: "Dockerfile", replacement: "ENV MODEL_REPOSITORY=/srv/models\n" }],
  },
  dependency: {
    commitMessage: "feat: parse options in the preprocessing",
    edits: [
      { file: ".dockerignore", replacement: "!vendor\n" },
      { file: "Dockerfile", replacement: "COPY vendor/ /opt/preprocessing/\n" },
    ],
    vendored: "minimist@1.2.5",
  },
};

/** @throws LabError `BREAKAGE_STALE` when the file no longer has the one place that the edit names. */
export function applyEdit(text: string, edit: Edit): string {
  if (edit.find === undefined) return `${text}${text.endsWith("\n") ? "" : "\n"}${edit.replacement}`;
  const parts = text.split(edit.find);
  if (parts.length === 2) return parts.join(edit.replacement);
  throw new LabError("BREAKAGE_STALE", `${edit.file} has '${edit.find}' ${parts.length - 1} times, not once`, {
    remedy: "bring pipeline/src/breakage.ts in step with examples/model-repository",
  });
}

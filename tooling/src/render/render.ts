import { type Document, isMap, isScalar, isSeq, parseDocument, visit } from "yaml";

/** The form for github.com, where `uses: $/…` refers to the repository and commit of the workflow file itself. */
export interface GithubForm {
  readonly form: "github";
  /** The file that people edit, such as `reusable-workflows/model-pipeline.yml`; named in the first line. */
  readonly source: string;
}

/** The form that names repository and ref of everything of ours, for GitHub Enterprise Server and other runners. */
export interface PinnedForm {
  readonly form: "pinned";
  /** Where the files are named in the first line. */
  readonly source: string;
  /** `OWNER/REPO` that holds the actions. */
  readonly repository: string;
  /** A commit SHA or a tag of that repository. */
  readonly ref: string;
  /** Keys that are left out; see {@link actOmissions}. Default: none. */
  readonly omit?: readonly string[];
}

/** The form that refers to files beside the workflow, for linters that follow such references. */
export interface LocalForm {
  readonly form: "local";
  readonly source: string;
  /** Keys that are left out. Default: none. */
  readonly omit?: readonly string[];
}

export type RenderTarget = GithubForm | PinnedForm | LocalForm;

/**
 * Keys that GitHub knows and the runner act 0.2.89 refuses, as paths from the top of a workflow in which `*` stands for any
 * one key. Found by comparing act's pkg/schema/workflow_schema.json with the schema of @actions/workflow-parser 0.3.61.
 */
export const actOmissions: readonly string[] = [
  "concurrency.queue",
  "jobs.*.concurrency.queue",
  "jobs.*.environment.deployment",
  "jobs.*.snapshot",
  ...["permissions", "jobs.*.permissions"].flatMap((place) =>
    ["artifact-metadata", "code-quality", "copilot-requests", "drives", "vulnerability-alerts"].map(
      (scope) => `${place}.${scope}`,
    ),
  ),
  "on.schedule.*.timezone",
  "on.image_version",
];

/**
 * Renders a workflow as people write it into the form that a runner reads. Comments stay where they are.
 *
 * @throws Error when the text is no YAML, or `repository` or `ref` could not stand in `uses:`.
 */
export function renderWorkflow(text: string, target: RenderTarget): string {
  const { source } = target;
  const workflow = parseDocument(text);
  const [error] = workflow.errors;
  if (error) throw new Error(`${source}: ${error.message}`);
  if (target.form === "github") return `# Generated from ${source} by \`npm run build\`; do not edit.\n${text}`;
  if (target.form === "pinned") checkPlace(target);
  const place = target.form === "pinned" ? `${target.repository}@${target.ref}` : "files beside it";
  rewriteReferences(workflow, (path) =>
    target.form === "pinned" ? `${target.repository}/${path}@${target.ref}` : `./${path}`,
  );
  for (const path of target.omit ?? []) omit(workflow.contents, path.split("."));
  const rendered = workflow.toString({ lineWidth: 0, flowCollectionPadding: true });
  return `# Rendered from ${source} for ${place}; do not edit.\n${rendered}`;
}

function checkPlace({ repository, ref }: PinnedForm): void {
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository)) throw new Error(`'${repository}' is no repository; expected OWNER/REPO`);
  if (!/^[\w./-]+$/.test(ref)) throw new Error(`'${ref}' is no commit SHA, tag or branch`);
}

/** Replaces `$/path` and `./.github/workflows/path` in every `uses:`. */
function rewriteReferences(workflow: Document, rewrite: (path: string) => string): void {
  visit(workflow, {
    Pair(_, { key, value }) {
      if (!isScalar(key) || key.value !== "uses" || !isScalar(value) || typeof value.value !== "string") return;
      const own = /^\$\/(.+)$/.exec(value.value) ?? /^\.\/(\.github\/workflows\/.+)$/.exec(value.value);
      if (own?.[1]) value.value = rewrite(own[1]);
    },
  });
}

/** Deletes the key at a path; what is left empty by that stays, since an empty map means something else than none. */
function omit(node: unknown, [first, ...rest]: readonly string[]): void {
  if (first === undefined) return;
  if (isSeq(node) && first === "*") for (const item of node.items) omit(item, rest);
  if (!isMap(node)) return;
  if (rest.length === 0) {
    node.delete(first);
    return;
  }
  for (const { key, value } of node.items)
    if (first === "*" || (isScalar(key) && key.value === first)) omit(value, rest);
}

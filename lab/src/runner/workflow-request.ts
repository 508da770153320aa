import type { RunnerEvent } from "./workflow-run.ts";

/** What to run, and with what. */
export interface WorkflowRequest {
  /** The program act. */
  readonly act: string;
  /** A Git checkout: what `actions/checkout` gives to the jobs is a copy of its files. */
  readonly repository: string;
  /** The workflow file in that checkout, for example `.github/workflows/pipeline.yml`. */
  readonly workflow: string;
  readonly event: "push" | "pull_request" | "workflow_dispatch";
  /** The event as GitHub would send it; `repository.full_name`, `ref`, `sender.login` are used. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** The inputs of a `workflow_dispatch`. */
  readonly inputs?: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  /** What workflows read as `vars`. */
  readonly variables: Readonly<Record<string, string>>;
  /**
   * The environment that steps find on the machine, PATH included. GITHUB_… variables here replace the runner's own; HOME
   * is an empty folder unless it is named here.
   */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Folders that stand for repositories which `uses:` names. The whole folder is copied for every step that uses an action
   * in it: give one that holds nothing but `action.yml` files, bundles and workflows.
   */
  readonly repositories: readonly { readonly name: string; readonly ref: string; readonly folder: string }[];
  /** A folder that the runner keeps its workspaces in while it runs. */
  readonly state: string;
  /** The runner's tool cache (`RUNNER_TOOL_CACHE`), which is kept from run to run. */
  readonly toolCache: string;
  readonly onEvent?: (event: RunnerEvent) => void;
  /** Cancels the run as GitHub does: steps get SIGINT and time to end, `always()` steps still run. */
  readonly signal?: AbortSignal;
}

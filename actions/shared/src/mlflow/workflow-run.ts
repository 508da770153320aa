import { type RunIdentity, runIdentity } from "../evidence/statement.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The workflow run as tags of a run or of a model version. What the runner does not say is left out. */
export function workflowTags(environment: Environment): Record<string, string> {
  const identity = runIdentity(environment);
  const tags = {
    "mlflow.source.git.commit": identity.commit,
    "mlflow.source.git.branch": environment.GITHUB_REF_NAME ?? "",
    "mlflow.source.git.repoURL": repositoryPage(environment, identity),
    "github.repository": identity.repository,
    "github.workflow": identity.workflow,
    "github.run_id": identity.runId,
    "github.run_attempt": identity.attempt,
    "github.run_url": workflowRunPage(environment),
    "github.actor": identity.actor,
  };
  return Object.fromEntries(Object.entries(tags).filter(([, value]) => value !== ""));
}

/** The page of the attempt of the workflow run that this is; empty outside a workflow. */
export function workflowRunPage(environment: Environment): string {
  const { runId, attempt, ...rest } = runIdentity(environment);
  const repository = repositoryPage(environment, { runId, attempt, ...rest });
  if (repository === "" || runId === "") return "";
  return `${repository}/actions/runs/${runId}${attempt === "" ? "" : `/attempts/${attempt}`}`;
}

function repositoryPage(environment: Environment, { repository }: RunIdentity): string {
  if (repository === "") return "";
  return `${(environment.GITHUB_SERVER_URL ?? "https://github.com").replace(/\/+$/, "")}/${repository}`;
}

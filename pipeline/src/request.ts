import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { Lab } from "../../lab/src/lab.ts";
import type { WorkflowRequest } from "../../lab/src/runner/workflow-request.ts";
import { cacheFolder } from "../../lab/src/toolchain/cache.ts";
import { libraryName, libraryRef } from "./actions-repository.ts";
import type { ModelRepository } from "./model-repository.ts";
import type { PipelineOptions } from "./options.ts";

/** Folders of one run. */
export interface RunFolders {
  readonly actions: string;
  readonly runnerState: string;
}

/** The workflow run that a person asks for, as GitHub would start it. */
export function workflowRequest(
  lab: Pick<Lab, "addresses" | "environment" | "toolchain">,
  repository: ModelRepository,
  { operation, digest }: Pick<PipelineOptions, "operation" | "digest">,
  folders: RunFolders,
): WorkflowRequest {
  const manual = operation === "promote" || operation === "rollback";
  const event = manual ? "workflow_dispatch" : operation;
  return {
    act: lab.toolchain.path("act"),
    repository: repository.folder,
    workflow: join(".github", "workflows", "pipeline.yml"),
    event,
    payload: eventPayload(event, repository.commit),
    ...(manual && { inputs: { operation, digest: digest ?? "" } }),
    secrets: { KUBECONFIG: kubeconfigSecret(lab) },
    variables: { REGISTRY: lab.addresses.registry, MLFLOW_TRACKING_URI: lab.addresses.mlflow },
    environment: machineEnvironment(lab.environment),
    repositories: [{ name: libraryName, ref: libraryRef, folder: folders.actions }],
    state: folders.runnerState,
    toolCache: join(cacheFolder(), "runner-tool-cache"),
  };
}

/** The lab's kubeconfig as it would be kept in a secret: certificates and keys inside, and one context. */
export function kubeconfigSecret({
  addresses,
  environment,
  toolchain,
}: Pick<Lab, "addresses" | "environment" | "toolchain">): string {
  const { kubeconfig, context } = addresses.kubernetes;
  const args = ["config", "view", "--raw", "--flatten", "--minify", "--kubeconfig", kubeconfig, "--context", context];
  return execFileSync(toolchain.path("kubectl"), args, { encoding: "utf8", env: { ...process.env, ...environment } });
}

/** What the steps find on the machine: this one's settings for package registries and proxies, and the lab's tools. */
function machineEnvironment(lab: Readonly<Record<string, string>>): Record<string, string> {
  const own = Object.entries(process.env).filter(([name]) => !/^(GITHUB|RUNNER|ACTIONS|INPUT|npm)_/.test(name));
  return { ...(Object.fromEntries(own) as Record<string, string>), ...lab };
}

/** The part of GitHub's payloads that workflows read. Source: GitHub's documentation, "Webhook events and payloads". */
function eventPayload(event: WorkflowRequest["event"], commit: string): Record<string, unknown> {
  const repository = { default_branch: "main", full_name: "acme/digits", name: "digits", owner: { login: "acme" } };
  const sender = { login: "ada" };
  if (event === "pull_request") {
    const head = { ref: "feature", sha: commit, repo: { full_name: "acme/digits" } };
    return {
      action: "synchronize",
      number: 1,
      repository,
      pull_request: { number: 1, head, base: { ref: "main" } },
      sender,
    };
  }
  return { ref: "refs/heads/main", after: commit, repository, sender };
}

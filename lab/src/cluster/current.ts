import { LabError } from "../progress/error.ts";
import type { Step } from "../progress/step.ts";
import { writeAtomically } from "../state/atomic-file.ts";
import type { Toolchain } from "../toolchain/toolchain.ts";

/** The name of the context that the user's kubectl uses. */
export async function currentContext(toolchain: Toolchain, step: Step): Promise<string> {
  const remedy = "name one: --context NAME (kubectl config get-contexts lists them)";
  const name = await step.run(toolchain.path("kubectl"), ["config", "current-context"], { remedy, timeoutSeconds: 20 });
  return name.trim();
}

/**
 * Copies one context of the user's kubeconfig, with its keys, into a kubeconfig of the lab's own. The user's is only read.
 * @throws LabError CLUSTER_UNREACHABLE when the cluster does not answer.
 */
export async function copyContext(context: string, target: string, toolchain: Toolchain, step: Step): Promise<void> {
  const kubectl = toolchain.path("kubectl");
  const view = ["config", "view", "--raw", "--minify", "--flatten", "--context", context];
  const content = await step.run(kubectl, view, {
    remedy: "give the name of a context: kubectl config get-contexts lists them",
    timeoutSeconds: 20,
  });
  writeAtomically(target, content);
  const ask = ["--kubeconfig", target, "--context", context, "--request-timeout=10s", "get", "--raw", "/version"];
  try {
    await step.run(kubectl, ask, { remedy: "", timeoutSeconds: 20 });
  } catch (cause) {
    throw new LabError("CLUSTER_UNREACHABLE", `the cluster of context ${context} does not answer`, {
      remedy: `check it by: kubectl --context ${context} get nodes`,
      cause,
    });
  }
}

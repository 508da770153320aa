import type { ActionContext } from "../action-runtime/action.ts";
import { ActionError } from "../action-runtime/error.ts";
import type { Kubectl } from "./kubectl.ts";
import type { Namespace } from "./objects.ts";

/**
 * Makes sure that the namespace is there. A new one enforces the Pod Security Standard `restricted`; one that exists is left
 * as whoever made it wanted it. A user who may not see namespaces is common, and means that it was prepared for them.
 *
 * @throws ActionError `NAMESPACE_TERMINATING`, `NAMESPACE_DENIED`
 */
export async function ensureNamespace(
  kubectl: Kubectl,
  name: string,
  { log }: Pick<ActionContext, "log">,
): Promise<void> {
  const found = await find(kubectl, name);
  if (found === "hidden") return log.line(`namespace ${name}: this user may not see namespaces; taken to be there`);
  if (found?.status?.phase === "Terminating")
    throw new ActionError("NAMESPACE_TERMINATING", {
      message: `namespace ${name} is being deleted`,
      remedy: "wait until it is gone and re-run; if it stays, look for finalizers of the objects in it",
      blame: "inconclusive",
    });
  if (found) return;
  try {
    const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
    const made = await kubectl.create({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } });
    if (made) log.line(`namespace ${name} created; it enforces the Pod Security Standard 'restricted'`);
  } catch (error) {
    if (!(error instanceof ActionError) || error.code !== "CLUSTER_FORBIDDEN") throw error;
    throw new ActionError("NAMESPACE_DENIED", {
      message: `namespace ${name} does not exist, and the kubeconfig's user may not create it`,
      remedy: `create it once: kubectl create namespace ${name}`,
      cause: error,
    });
  }
}

async function find(kubectl: Kubectl, name: string): Promise<Namespace | "hidden" | undefined> {
  try {
    return await kubectl.get<Namespace>("namespace", name);
  } catch (error) {
    if (error instanceof ActionError && error.code === "CLUSTER_FORBIDDEN") return "hidden";
    throw error;
  }
}

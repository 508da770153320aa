import type { Diagnosis } from "./diagnosis.ts";
import type { KubernetesEvent, Pod } from "./objects.ts";

/** What keeps a pod as a whole from starting or becoming ready. At most one: the first in its life. */
export function podFindings(pod: Pod, events: readonly KubernetesEvent[]): Diagnosis[] {
  const finding = evicted(pod) ?? unschedulable(pod) ?? notStarted(pod, events) ?? notReady(pod, events) ?? undefined;
  return finding ? [{ ...finding, pod: pod.metadata?.name ?? "" }] : [];
}

function evicted(pod: Pod): Diagnosis | undefined {
  if (pod.status?.phase !== "Failed" || pod.status.reason === undefined) return undefined;
  return {
    cause: "evicted",
    sentence: `pod ${pod.metadata?.name} was ended by its node (${pod.status.reason}): ${pod.status.message ?? ""}`,
    evidence: [`${pod.status.reason}: ${pod.status.message ?? ""}`],
    remedy: "see what the node runs out of; requests that match the use keep pods from being evicted",
    blame: "inconclusive",
    hopelessAfter: Number.POSITIVE_INFINITY,
  };
}

function unschedulable(pod: Pod): Diagnosis | undefined {
  const condition = (pod.status?.conditions ?? []).find(
    ({ type, status, reason }) => type === "PodScheduled" && status === "False" && reason === "Unschedulable",
  );
  if (!condition) return undefined;
  return {
    cause: "unschedulable",
    sentence: `pod ${pod.metadata?.name} fits on no node: ${condition.message?.slice(0, 300) ?? ""}`,
    evidence: [`Unschedulable: ${condition.message ?? ""}`],
    remedy: "add nodes, or lower the requests or loosen the node selection in the values",
    blame: "inconclusive",
    // An autoscaler may be adding a node.
    hopelessAfter: Number.POSITIVE_INFINITY,
  };
}

/** Scheduled, but no container has been started. */
function notStarted(pod: Pod, events: readonly KubernetesEvent[]): Diagnosis | undefined {
  const creating = (pod.status?.containerStatuses ?? []).some(({ state }) =>
    ["ContainerCreating", "PodInitializing"].includes(state?.waiting?.reason ?? ""),
  );
  if (!creating) return undefined;
  const where = `pod ${pod.metadata?.name}`;
  const last = events.findLast(({ reason }) =>
    ["FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "Pulling", "Pulled"].includes(reason ?? ""),
  );
  const message = last?.message ?? "";
  const evidence = [`${last?.reason}: ${message}`];
  switch (last?.reason) {
    case "FailedMount":
    case "FailedAttachVolume": {
      const missing = /(secret|configmap)s? "[^"]*" not found/i.test(message);
      return {
        cause: "volume",
        sentence: `${where} waits for a volume: ${message.slice(0, 300)}`,
        evidence,
        remedy: missing ? "create the Secret or ConfigMap in the namespace first" : "see the storage driver's message",
        blame: missing ? "fail" : "inconclusive",
        hopelessAfter: missing ? 60_000 : Number.POSITIVE_INFINITY,
      };
    }
    case "FailedCreatePodSandBox":
      return {
        cause: "sandbox",
        sentence: `the node cannot set up ${where}: ${message.slice(0, 300)}`,
        evidence,
        remedy: "see the node's container runtime and network plugin",
        blame: "inconclusive",
        hopelessAfter: Number.POSITIVE_INFINITY,
      };
    case "Pulling":
      return {
        cause: "slow-pull",
        sentence: `${where} is still pulling its image`,
        evidence,
        remedy: "raise the timeout, or make the image smaller",
        blame: "inconclusive",
        hopelessAfter: Number.POSITIVE_INFINITY,
      };
    default:
      return undefined;
  }
}

/** Running, but not ready. */
function notReady(pod: Pod, events: readonly KubernetesEvent[]): Diagnosis | undefined {
  const container = (pod.status?.containerStatuses ?? []).find(({ state, ready }) => state?.running && !ready);
  if (!container) return undefined;
  const where = `container ${container.name} of pod ${pod.metadata?.name}`;
  const probe = events.findLast(({ reason }) => reason === "Unhealthy");
  const common = { container: container.name, hopelessAfter: Number.POSITIVE_INFINITY };
  if (probe)
    return {
      ...common,
      cause: "readiness-probe",
      sentence: `${where} runs but does not become ready: ${probe.message?.slice(0, 300)}`,
      evidence: [`Unhealthy: ${probe.message}${probe.count ? ` (${probe.count} times)` : ""}`],
      remedy: "see the container's last lines for why it is not ready; check the probe's path and port in the chart",
      blame: "fail",
    };
  return {
    ...common,
    cause: "slow-start",
    sentence: `${where} has started but is not ready yet`,
    evidence: [`running since ${container.state?.running?.startedAt ?? "unknown"}, no probe has failed yet`],
    remedy: "raise the timeout if the model takes long to load",
    blame: "inconclusive",
  };
}

import type { Diagnosis } from "./diagnosis.ts";
import type { ContainerStatus, KubernetesEvent, Pod } from "./objects.ts";
import { pullFinding } from "./pull-causes.ts";

/** After so many crashes a container is taken to crash always: the third comes about 30 s after the first. */
const hopelessCrashes = 3;

/** Why the containers of a pod do not run. */
export function containerFindings(pod: Pod, events: readonly KubernetesEvent[]): Diagnosis[] {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  return statuses.flatMap((status) => {
    const finding =
      pullFinding(pod, status, events) ?? configurationFinding(pod, status) ?? crashFinding(pod, status, events);
    return finding ? [{ ...finding, pod: pod.metadata?.name ?? "", container: status.name }] : [];
  });
}

const configurationReasons = new Set(["CreateContainerConfigError", "CreateContainerError", "RunContainerError"]);

function configurationFinding(pod: Pod, { name, state }: ContainerStatus): Diagnosis | undefined {
  const waiting = state?.waiting;
  if (!waiting?.reason || !configurationReasons.has(waiting.reason)) return undefined;
  const message = waiting.message ?? waiting.reason;
  return {
    cause: "invalid-configuration",
    sentence: `container ${name} of pod ${pod.metadata?.name} cannot be started: ${message.slice(0, 400)}`,
    evidence: [`${waiting.reason}: ${message}`],
    remedy: configurationRemedy(message),
    blame: "fail",
    // An operator may still be bringing the Secret or ConfigMap.
    hopelessAfter: 20_000,
  };
}

function configurationRemedy(message: string): string {
  if (/(secret|configmap) "[^"]*" not found/i.test(message))
    return "create it in the namespace before the release, or correct its name in the values";
  if (/runAsNonRoot/.test(message))
    return "let the image run as a numbered user other than 0 (USER 1000 in its Dockerfile)";
  return "correct the container's command, environment, mounts or security context in the chart or its values";
}

function crashFinding(pod: Pod, status: ContainerStatus, events: readonly KubernetesEvent[]): Diagnosis | undefined {
  const ended = status.state?.terminated ?? status.lastState?.terminated;
  const backingOff = status.state?.waiting?.reason === "CrashLoopBackOff";
  const endedNow = (status.state?.terminated?.exitCode ?? 0) !== 0;
  const restartedOften = status.restartCount >= hopelessCrashes - 1 && !status.ready && (ended?.exitCode ?? 0) !== 0;
  if (!backingOff && !endedNow && !restartedOften) return undefined;
  const crashes = status.restartCount + (status.state?.running ? 0 : 1);
  const hopelessAfter = crashes >= hopelessCrashes ? 0 : Number.POSITIVE_INFINITY;
  const where = `container ${status.name} of pod ${pod.metadata?.name}`;
  const times = crashes === 1 ? "once" : `${crashes} times`;
  const evidence = [
    `restarts ${status.restartCount}, exit code ${ended?.exitCode ?? "unknown"}, reason ${ended?.reason ?? "unknown"}`,
    ...(ended?.message ? [ended.message] : []),
  ];
  if (ended?.reason === "OOMKilled") {
    const limit = memoryLimit(pod, status.name);
    return {
      cause: "out-of-memory",
      sentence: `${where} needs more memory than its limit${limit ? ` of ${limit}` : ""} and was killed ${times}`,
      evidence,
      remedy: "raise resources.limits.memory in the values, or make the model or its batch smaller",
      blame: "fail",
      hopelessAfter,
    };
  }
  const probe = events.findLast(
    ({ reason, message }) => reason === "Unhealthy" && /^(Liveness|Startup) probe/.test(message ?? ""),
  );
  if (probe && (ended?.exitCode === 137 || ended?.exitCode === 143))
    return {
      cause: "liveness-probe",
      sentence: `${where} was restarted ${times} because its probe fails: ${probe.message?.slice(0, 300)}`,
      evidence: [...evidence, `Unhealthy: ${probe.message}`],
      remedy:
        "see why the server does not answer its probe; a model that loads slowly needs a startupProbe with more time",
      blame: "fail",
      hopelessAfter,
    };
  return {
    cause: "crash-loop",
    sentence: `${where} crashed ${times} with exit code ${ended?.exitCode ?? "unknown"}${exitMeaning(ended?.exitCode)}`,
    evidence,
    remedy: "see the container's last lines; run the same image by its digest on your machine to reproduce it",
    blame: "fail",
    hopelessAfter,
  };
}

function memoryLimit(pod: Pod, container: string): string | undefined {
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  return containers.find(({ name }) => name === container)?.resources?.limits?.memory;
}

/** Source: Bash manual, "Exit Status", and signal(7). */
function exitMeaning(exitCode: number | undefined): string {
  const meanings: Readonly<Record<number, string>> = {
    126: " (its command is not executable)",
    127: " (its command was not found)",
    132: " (illegal instruction: built for another processor?)",
    137: " (killed)",
    139: " (segmentation fault)",
    143: " (asked to end)",
  };
  return exitCode === undefined ? "" : (meanings[exitCode] ?? "");
}

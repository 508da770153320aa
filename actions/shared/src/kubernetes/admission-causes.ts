import type { Diagnosis } from "./diagnosis.ts";
import type { WorkloadProgress } from "./rollout.ts";

type Rule = Pick<Diagnosis, "cause" | "remedy" | "blame" | "hopelessAfter"> & {
  readonly pattern: RegExp;
  readonly says: (workload: string, message: string) => string;
};

const seconds = 1_000;

/** What the API server says when it refuses a pod, most particular first. */
const rules: readonly Rule[] = [
  {
    pattern: /violates PodSecurity "?([\w-]+)/,
    cause: "pod-security",
    blame: "fail",
    hopelessAfter: 0,
    says: (workload, message) =>
      `the namespace's Pod Security Standard refuses the pods of ${workload}: ${afterColon(message, "violates PodSecurity")}`,
    remedy: "give the pod the security context that the message lists, in the chart or its values",
  },
  {
    pattern: /exceeded quota/,
    cause: "quota",
    blame: "inconclusive",
    hopelessAfter: 30 * seconds,
    says: (workload, message) => `the namespace's quota has no room for the pods of ${workload}: ${message}`,
    remedy:
      "raise the ResourceQuota, or lower the replicas or requests in the values; a rollout needs room for one more pod",
  },
  {
    pattern: /failed quota|(maximum|minimum) (cpu|memory|ephemeral-storage)/,
    cause: "quota",
    blame: "fail",
    hopelessAfter: 0,
    says: (workload, message) => `the namespace's limits do not allow the pods of ${workload}: ${message}`,
    remedy: "set the requests and limits in the values as the namespace's LimitRange or ResourceQuota asks",
  },
  {
    pattern: /failed calling webhook/,
    cause: "admission",
    blame: "inconclusive",
    hopelessAfter: Number.POSITIVE_INFINITY,
    says: (workload, message) => `an admission webhook does not answer, so no pod of ${workload} is made: ${message}`,
    remedy: "mend the webhook that the message names, then re-run",
  },
  {
    pattern: /admission webhook|denied the request/,
    cause: "admission",
    blame: "fail",
    hopelessAfter: 5 * seconds,
    says: (workload, message) => `the cluster's policy refuses the pods of ${workload}: ${message}`,
    remedy: "change the chart or its values so that the policy that the message names allows the pod",
  },
  {
    pattern: /serviceaccount|service account/i,
    cause: "invalid-configuration",
    blame: "fail",
    hopelessAfter: 20 * seconds,
    says: (workload, message) => `the pods of ${workload} name a service account that cannot be used: ${message}`,
    remedy: "create the service account, or name another one in the values",
  },
  {
    pattern: /.*/s,
    cause: "admission",
    blame: "fail",
    hopelessAfter: 30 * seconds,
    says: (workload, message) => `no pod of ${workload} can be made: ${message}`,
    remedy: "see the cluster's message",
  },
];

/** Why the controller of a workload cannot make pods, from the conditions that it sets. */
export function admissionFindings({ kind, name, replicaSet }: WorkloadProgress): Diagnosis[] {
  const failure = (replicaSet?.status?.conditions ?? []).find(
    ({ type, status }) => type === "ReplicaFailure" && status === "True",
  );
  if (!failure) return [];
  const message = failure.message ?? failure.reason ?? "";
  const rule = rules.find(({ pattern }) => pattern.test(message));
  if (!rule) return [];
  const { cause, blame, hopelessAfter, remedy, says } = rule;
  const sentence = says(`${kind} ${name}`, shorten(message));
  const evidence = [`ReplicaSet ${replicaSet?.metadata?.name}: ${failure.reason}: ${message}`];
  return [{ cause, blame, hopelessAfter, remedy, sentence, evidence }];
}

/** `pods "x" is forbidden: …` says twice what is known already. */
function shorten(message: string): string {
  return message.replace(/^pods "[^"]*" is forbidden: /, "").slice(0, 400);
}

function afterColon(message: string, phrase: string): string {
  return message.slice(message.indexOf(phrase) + phrase.length).replace(/^[^:]*:[\w.]+"?:?\s*/, "");
}

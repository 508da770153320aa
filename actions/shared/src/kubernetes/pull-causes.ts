import type { Diagnosis } from "./diagnosis.ts";
import type { ContainerStatus, KubernetesEvent, Pod } from "./objects.ts";

type Rule = Pick<Diagnosis, "cause" | "remedy" | "blame"> & { readonly pattern: RegExp; readonly says: string };

/** What container runtimes and registries say when a pull fails. Docker Hub hides a missing repository behind a denial. */
const rules: readonly Rule[] = [
  {
    pattern: /unauthorized|access denied|\bdenied\b|forbidden|authentication required|no basic auth|\b40[13]\b/i,
    cause: "image-denied",
    blame: "fail",
    says: "the cluster may not pull it",
    remedy:
      "give the namespace a pull secret for the registry (imagePullSecrets in the values or on the service account)",
  },
  {
    pattern: /not found|manifest unknown|name unknown|does not exist/i,
    cause: "image-not-found",
    blame: "fail",
    says: "the registry does not have it",
    remedy: "check the repository and digest; a retention policy may have removed the image: build it again",
  },
  {
    pattern: /no match for platform|exec format|unsupported media type|mismatched? digest|failed to unpack/i,
    cause: "image-unusable",
    blame: "fail",
    says: "it does not fit this cluster's nodes",
    remedy: "build the image for the platform of the nodes",
  },
  {
    pattern: /.*/s,
    cause: "image-unreachable",
    blame: "inconclusive",
    says: "the registry cannot be reached from the cluster",
    remedy: "check the cluster's way to the registry (DNS, proxy, certificate, rate limit), then re-run",
  },
];

/** Why a container's image cannot be pulled. */
export function pullFinding(
  pod: Pod,
  status: ContainerStatus,
  events: readonly KubernetesEvent[],
): Diagnosis | undefined {
  const waiting = status.state?.waiting;
  const where = `image ${status.image} of pod ${pod.metadata?.name}`;
  if (waiting?.reason === "InvalidImageName")
    return {
      cause: "image-unusable",
      sentence: `${where} is not an image name: ${waiting.message ?? ""}`,
      evidence: [`InvalidImageName: ${waiting.message ?? ""}`],
      remedy: "check repository-key and digest-key: the chart put the image's name together in another way",
      blame: "fail",
      hopelessAfter: 0,
    };
  if (waiting?.reason !== "ImagePullBackOff" && waiting?.reason !== "ErrImagePull") return undefined;
  const event = events.findLast(({ reason, message }) => reason === "Failed" && /pull/i.test(message ?? ""));
  const messages = [waiting.message, event?.message].filter((message) => message !== undefined);
  const text = messages.find((message) => !/^Back-off pulling image "[^"]*"$/.test(message)) ?? messages[0] ?? "";
  const rule = rules.find(({ pattern }) => pattern.test(withoutImage(text, status.image)));
  if (!rule) return undefined;
  return {
    cause: rule.cause,
    sentence: `${where} cannot be pulled: ${rule.says}`,
    evidence: [...new Set(messages)].map((message) => `${waiting.reason}: ${message}`),
    remedy: rule.remedy,
    blame: rule.blame,
    // The kubelet has tried twice by then; a registry that is away, or was just pushed to, gets more time.
    hopelessAfter: rule.blame === "inconclusive" || waiting.reason === "ErrImagePull" ? Number.POSITIVE_INFINITY : 0,
  };
}

/** The image's own name must not decide: a repository may be called `denied`, and a digest holds `401`. */
function withoutImage(text: string, image: string): string {
  return text
    .replaceAll(image, "")
    .replace(/sha256:[0-9a-f]{64}/g, "")
    .replace(/https?:\/\/\S+/g, "");
}

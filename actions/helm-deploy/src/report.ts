import type { ServicePort } from "../../shared/src/kubernetes/service.ts";
import { details, heading, monospace, paragraph, table } from "../../shared/src/report/markdown.ts";
import type { Deployment } from "./deploy.ts";
import type { HelmDeployInputs } from "./inputs.ts";

/** The deployment for people: where it is, and, where it failed, what was seen. */
export function reportDeployment(
  { revision, previous, rollout }: Deployment,
  inputs: HelmDeployInputs,
  live: string,
  service: ServicePort | undefined,
): string {
  const facts = table(
    ["environment", "namespace", "release", "revision", "before", "serves", "service"],
    [
      [
        inputs.environment,
        inputs.namespace,
        inputs.release,
        revision ? `${revision.revision} (${revision.status})` : "none",
        previous ? String(previous.revision) : "none",
        live === "" ? "nothing" : monospace(live),
        service ? `${service.service}:${service.port}` : "none",
      ],
    ],
  );
  if (rollout.ended === "well") return facts;
  const { diagnosis, capture, said } = rollout;
  const evidence = diagnosis ? heading(4, "Cause") + paragraph(diagnosis.sentence) + list(diagnosis.evidence) : "";
  return [
    facts,
    evidence,
    capture.log.length > 0 ? details("Last lines of the container", capture.log.join("\n")) : "",
    capture.events.length > 0 ? details("Warnings of the cluster", capture.events.join("\n")) : "",
    capture.pods.length > 0 ? details("Pods", capture.pods.join("\n")) : "",
    details("What helm said", said),
  ].join("");
}

function list(lines: readonly string[]): string {
  return lines.length === 0 ? "" : details("Evidence", lines.join("\n"));
}

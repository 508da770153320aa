import type { Lab } from "../lab.ts";
import { table } from "./status.ts";

/** What a person wants to know when the lab is up. */
export function describe({ name, addresses, baseImages, parts }: Lab): string {
  const { registry, mlflow, buildkit, kubernetes, nodePorts, fromPods } = addresses;
  const rows = [
    ["registry", registry, fromPods ? `from pods: ${fromPods.registry}` : ""],
    ["MLflow", mlflow, fromPods ? `from pods: ${fromPods.mlflow}` : ""],
    ["BuildKit", buildkit, ""],
    ["Kubernetes", `context ${kubernetes.context}`, kubernetes.kubeconfig],
    ...baseImages.map((image) => ["base image", image.name, image.standIn ? "a stand-in, made here" : ""]),
    ...(nodePorts ? [["node ports", `127.0.0.1:${nodePorts[0]}-${nodePorts[1]}`, ""]] : []),
  ];
  const option = name === "default" ? "" : ` --name ${name}`;
  const started = parts.started.length === 0 ? "was up already" : `is up; started: ${parts.started.join(", ")}`;
  return `The lab ${name} ${started}.\n\n${table(rows)}\n\nUse it:   eval "$(npm run --silent lab -- env${option})"\nStop it:  npm run lab -- down${option}\n`;
}

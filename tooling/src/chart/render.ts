import { readdirSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import { inRepository } from "../repository/repository.ts";
import { tool } from "../repository/tool.ts";

/** The chart, seen from the repository's top folder. */
export const chart = "charts/model-server";

/** A Kubernetes object, as far as one has to know it. */
export interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly [field: string]: unknown;
}

/** Files of values that between them use every template and every field of the chart. */
export function listCases(): string[] {
  const folder = "charts/test/values";
  const cases = readdirSync(inRepository(folder)).map((name) => `${folder}/${name}`);
  return [...cases, `${chart}/values-production.yaml`].sort();
}

/** What the pipeline sets in every release; no such image is there. */
export const pipelineValues = [
  "--set",
  `image.repository=registry.example.org/digits,image.digest=sha256:${"0123456789abcdef".repeat(4)}`,
];

/**
 * The manifests of a release of the chart, as text.
 *
 * @param helm the path of helm, 3 or 4
 * @param values a file of values
 */
export function render(helm: string, values: string, signal?: AbortSignal): Promise<string> {
  // The newest version whose features the chart knows, so that none of them is left out.
  const version = ["--kube-version", "1.35.0"];
  return tool(helm, ["template", "digits", chart, ...version, ...pipelineValues, "--values", values], signal);
}

/** The objects in rendered manifests. */
export function objectsIn(manifests: string): KubernetesObject[] {
  return parseAllDocuments(manifests)
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null);
}

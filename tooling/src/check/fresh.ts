import { findStaleBundles } from "../build/bundles.ts";
import {
  findStale,
  generateChartReadme,
  generateReadmes,
  generateSchema,
  generateWorkflows,
  type Texts,
} from "../build/generated.ts";
import type { Check } from "./check.ts";

const stale = (paths: readonly string[]) =>
  paths.map((path) => `${path} is stale: run \`npm run build\` and commit what it writes`);

const fresh = (name: string, generate: () => Texts | Promise<Texts>): Check => ({
  name,
  run: async () => stale(await findStale(await generate())),
});

/** What is generated and committed is what its sources give. */
export const freshChecks: readonly Check[] = [
  { name: "bundles fresh", run: async () => stale(await findStaleBundles()) },
  fresh("rendered workflows fresh", generateWorkflows),
  fresh("JSON Schema fresh", generateSchema),
  fresh("README contracts fresh", generateReadmes),
  fresh("chart values fresh", generateChartReadme),
];

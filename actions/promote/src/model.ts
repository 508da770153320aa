import type { StageStatement } from "../../shared/src/evidence/statement.ts";

export interface ModelVersion {
  readonly name: string;
  readonly version: string;
}

/** Which model version is in an image: what the newest statement of its build says. */
export function modelVersionOf(statements: readonly StageStatement[]): ModelVersion | undefined {
  const builds = statements.filter(({ predicate }) => predicate.stage === "build-scan");
  const model = builds.at(-1)?.predicate.details.model as Partial<ModelVersion> | undefined;
  if (typeof model?.name !== "string" || typeof model.version !== "string" || model.version === "") return undefined;
  return { name: model.name, version: model.version };
}

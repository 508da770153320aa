/** A stage of the pipeline as it is shown: which step of which job it is. */
export interface StageDefinition {
  readonly name: string;
  /** Id of the job in the workflow. */
  readonly job: string;
  /** Id of the step. */
  readonly step: string;
  /** Key in the plan's `run`, for stages that a descriptor may leave out. */
  readonly plannedAs?: string;
  /** Whether it runs only after a failure, and is not missed otherwise. */
  readonly onlyAfterFailure?: boolean;
}

const plan: StageDefinition = { name: "plan", job: "plan", step: "plan" };
const train: StageDefinition = { name: "train", job: "train", step: "train", plannedAs: "train" };

const promotion: readonly StageDefinition[] = [
  { name: "verify evidence", job: "production", step: "verify", plannedAs: "deployProduction" },
  { name: "deploy production", job: "production", step: "helm-deploy", plannedAs: "deployProduction" },
  { name: "test production", job: "production", step: "integration-test", plannedAs: "test" },
  { name: "undo production", job: "production", step: "undo", onlyAfterFailure: true },
  { name: "record promotion", job: "production", step: "record", plannedAs: "deployProduction" },
];

/** What runs, by what was asked for, in the order in which it runs. */
export const operations = {
  push: [
    plan,
    train,
    { name: "register", job: "register", step: "mlflow-register", plannedAs: "register" },
    { name: "build and scan", job: "build", step: "build-scan", plannedAs: "build" },
    { name: "deploy staging", job: "staging", step: "helm-deploy", plannedAs: "deployStaging" },
    { name: "test staging", job: "staging", step: "integration-test", plannedAs: "test" },
    { name: "nominate", job: "nominate", step: "nominate" },
    ...promotion,
  ],
  pull_request: [plan, train, { name: "build and scan", job: "build", step: "build-scan", plannedAs: "build" }],
  promote: [plan, ...promotion],
  rollback: [
    plan,
    { name: "roll back production", job: "production", step: "helm-deploy", plannedAs: "deployProduction" },
    { name: "find model", job: "production", step: "find", plannedAs: "deployProduction" },
    { name: "test production", job: "production", step: "integration-test", plannedAs: "test" },
    { name: "record rollback", job: "production", step: "record", plannedAs: "deployProduction" },
  ],
} as const satisfies Record<string, readonly StageDefinition[]>;

export type Operation = keyof typeof operations;

/** `skipped`: the descriptor leaves it out. `not reached`: an earlier stage stopped the pipeline. */
export type StageVerdict = "pass" | "fail" | "inconclusive" | "skipped" | "not reached";

export interface Stage {
  readonly name: string;
  readonly verdict: StageVerdict;
  readonly seconds: number;
  readonly reason: string;
}

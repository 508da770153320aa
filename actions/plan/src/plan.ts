import { posix } from "node:path";
import { ActionError } from "../../shared/src/action-runtime/error.ts";
import type { Descriptor } from "../../shared/src/descriptor/schema.ts";
import { formatRepository, parseRepository } from "../../shared/src/oci/reference.ts";
import type { PlanInputs } from "./inputs.ts";

export interface PlannedStage {
  readonly stage: string;
  readonly runs: boolean;
  /** Why it does not run; empty where it does. */
  readonly reason: string;
}

/** An environment that is deployed to; empty texts where the descriptor says nothing. */
export interface PlannedEnvironment {
  readonly name: string;
  readonly namespace: string;
  /** Value files, one a line, later ones over earlier ones. */
  readonly values: string;
}

/**
 * Everything the workflow's jobs need, with every default filled in and every path relative to the workspace. The keys are
 * the workflow's contract: it reads them by `fromJSON(needs.plan.outputs.plan)`.
 */
export interface Plan {
  readonly name: string;
  readonly stages: readonly PlannedStage[];
  readonly run: Readonly<Record<StageKey, boolean>>;
  readonly train: { notebook: string; requirements: string; parameters: string; timeout: string };
  readonly mlflow: { trackingUri: string; experiment: string; model: string; artifact: string };
  readonly image: {
    repository: string;
    context: string;
    dockerfile: string;
    model: string;
    failOn: string;
    ignore: string;
  };
  readonly deploy: {
    chart: string;
    chartVersion: string;
    release: string;
    repositoryKey: string;
    digestKey: string;
    timeout: string;
  };
  readonly staging: PlannedEnvironment;
  readonly production: PlannedEnvironment;
  readonly test: {
    protocol: string;
    model: string;
    service: string;
    port: string;
    readyPath: string;
    golden: string;
    rtol: string;
    atol: string;
    rate: string;
    duration: string;
    p99: string;
    errors: string;
  };
  readonly promotion: { require: string; alias: string };
}

const stageKeys = ["train", "register", "build", "deployStaging", "test", "deployProduction"] as const;
type StageKey = (typeof stageKeys)[number];

/**
 * Resolves a descriptor into a plan.
 *
 * @throws ActionError `PLAN_INCOMPLETE` where the descriptor needs something that the workflow was not given.
 */
export function makePlan(descriptor: Descriptor, inputs: Omit<PlanInputs, "operation">): Plan {
  const { name, train, mlflow, image, deploy, environments, test, promotion } = descriptor;
  const folder = posix.dirname(inputs.descriptor);
  const inside = (path: string | undefined) => (path === undefined ? "" : posix.join(folder, path));
  if (mlflow && !inputs["mlflow-tracking-uri"])
    throw new ActionError("PLAN_INCOMPLETE", {
      message: "the descriptor has 'mlflow', but no address of an MLflow server was given",
      remedy: "set the repository variable MLFLOW_TRACKING_URI, or take 'mlflow' and 'train' out of the descriptor",
    });
  const stages = planStages(descriptor);
  const run = Object.fromEntries(stages.map(({ stage, runs }) => [stage, runs])) as Record<StageKey, boolean>;
  const environmentOf = (key: "staging" | "production"): PlannedEnvironment => ({
    name: key,
    namespace: environments[key]?.namespace ?? "",
    values: [deploy?.values, environments[key]?.values]
      .filter((path) => path !== undefined)
      .map(inside)
      .join("\n"),
  });
  return {
    name,
    stages,
    run,
    train: {
      notebook: inside(train?.notebook),
      requirements: inside(train?.requirements),
      parameters: JSON.stringify(train?.parameters ?? {}),
      timeout: train?.timeout ?? "",
    },
    mlflow: {
      trackingUri: mlflow ? (inputs["mlflow-tracking-uri"] ?? "") : "",
      experiment: mlflow?.experiment ?? name,
      model: mlflow ? (mlflow.model ?? name) : "",
      artifact: mlflow?.artifact ?? "",
    },
    image: {
      repository: imageRepository(image.repository, inputs.registry),
      context: inside(image.context),
      dockerfile: inside(posix.join(image.context, image.dockerfile)),
      model: inside(posix.join(image.context, image.model)),
      failOn: image.scan.failOn,
      ignore: image.scan.ignore.join("\n"),
    },
    deploy: {
      chart: chartLocation(deploy?.chart ?? "", inside),
      chartVersion: deploy?.chartVersion ?? "",
      release: deploy?.release ?? name,
      repositoryKey: deploy?.repositoryKey ?? "",
      digestKey: deploy?.digestKey ?? "",
      timeout: deploy?.timeout ?? "",
    },
    staging: environmentOf("staging"),
    production: environmentOf("production"),
    test: {
      protocol: test?.protocol ?? "",
      model: test?.model ?? name,
      service: test?.service ?? "",
      port: test?.port === undefined ? "" : String(test.port),
      readyPath: test?.readyPath ?? "",
      golden: inside(test?.golden),
      rtol: String(test?.tolerance.rtol ?? ""),
      atol: String(test?.tolerance.atol ?? ""),
      rate: String(test?.load?.rate ?? ""),
      duration: test?.load?.duration ?? "",
      p99: test?.load?.p99 ?? "",
      errors: test?.load?.errors ?? "",
    },
    promotion: { require: requiredStages(descriptor).join("\n"), alias: mlflow ? promotion.alias : "" },
  };
}

function planStages({ train, mlflow, deploy, environments, test }: Descriptor): PlannedStage[] {
  const without = (key: string) => `the descriptor has no '${key}'`;
  const conditions: Readonly<Record<StageKey, readonly [present: boolean, key: string]>> = {
    train: [train !== undefined, "train"],
    register: [train !== undefined && mlflow !== undefined, mlflow ? "train" : "mlflow"],
    build: [true, ""],
    deployStaging: [
      deploy !== undefined && environments.staging !== undefined,
      deploy ? "environments.staging" : "deploy",
    ],
    test: [test !== undefined, "test"],
    deployProduction: [
      deploy !== undefined && environments.production !== undefined,
      deploy ? "environments.production" : "deploy",
    ],
  };
  return stageKeys.map((stage) => {
    const [runs, key] = conditions[stage];
    return { stage, runs, reason: runs ? "" : without(key) };
  });
}

/** A stage that the descriptor leaves out cannot leave evidence, so it is not asked for. The plan's summary says so. */
function requiredStages({ promotion, environments, test }: Descriptor): string[] {
  return promotion.require.filter(
    (stage) => !(stage === "helm-deploy" && !environments.staging) && !(stage === "integration-test" && !test),
  );
}

function imageRepository(named: string, registry: string | undefined): string {
  const first = named.split("/", 1)[0] ?? "";
  const hasRegistry = named.includes("/") && (/[.:]/.test(first) || first === "localhost");
  if (hasRegistry) return formatRepository(parseRepository(named));
  if (registry !== undefined)
    return formatRepository(parseRepository(`${registry.replace(/\/+$/, "").toLowerCase()}/${named}`));
  throw new ActionError("PLAN_INCOMPLETE", {
    message: `'image.repository' is '${named}', which names no registry, and none was given`,
    remedy: "set the repository variable REGISTRY (such as ghcr.io/acme), or write the whole name in the descriptor",
  });
}

/** The chart that comes with the actions keeps its name; a path becomes relative to the workspace. */
function chartLocation(chart: string, inside: (path: string) => string): string {
  return chart === "" || chart === "model-server" || chart.startsWith("oci://") ? chart : inside(chart);
}

import type { Conclusion, JobReference, RunnerEvent, StepReference } from "../../lab/src/runner/workflow-run.ts";
import type { Stage, StageDefinition, StageVerdict } from "./stages.ts";

interface Watched {
  readonly definition: StageDefinition;
  state: "waiting" | "running" | "ended";
  seconds: number;
  outcome: Conclusion;
  readonly outputs: Record<string, string>;
  readonly summaries: string[];
}

/** What the tracker tells as it happens. */
export interface TrackerListener {
  started(name: string): void;
  ended(stage: Stage): void;
}

/** Follows a workflow run by its events, and says how each stage of the pipeline ended. */
export class StageTracker {
  readonly #stages: readonly Watched[];
  readonly #listener: TrackerListener;
  readonly #told = new Set<Watched>();
  /** What the runner itself said of a job, by the job's id. */
  readonly #errors = new Map<string, string>();

  constructor(definitions: readonly StageDefinition[], listener: TrackerListener) {
    this.#listener = listener;
    this.#stages = definitions.map((definition) => ({
      definition,
      state: "waiting",
      seconds: 0,
      outcome: "skipped",
      outputs: {},
      summaries: [],
    }));
  }

  handle(event: RunnerEvent): void {
    // A step's outputs follow its end, so it is told when something else goes on in its job.
    if (event.type === "step-started" || event.type === "job-ended") this.#tellEnded();
    if (event.type === "error" && !this.#errors.has(event.job.id)) this.#errors.set(event.job.id, event.message);
    const watched = "step" in event ? this.#find(event.job, event.step) : undefined;
    // A called workflow may plan again; the first time is the stage.
    if (watched === undefined || this.#told.has(watched)) return;
    switch (event.type) {
      case "step-started":
        watched.state = "running";
        this.#listener.started(watched.definition.name);
        break;
      case "step-ended":
        watched.state = "ended";
        watched.seconds = event.seconds;
        watched.outcome = event.conclusion;
        break;
      case "output":
        watched.outputs[event.name] = event.value;
        break;
      case "summary":
        watched.summaries.push(event.markdown);
        break;
    }
  }

  /** An output of a stage; empty where it set none. */
  output(stage: string, name: string): string {
    return this.#stages.find(({ definition }) => definition.name === stage)?.outputs[name] ?? "";
  }

  /** What to do about the first stage that did not pass; empty where all did, or nobody knows. */
  remedy(): string {
    return this.#stopper()?.outputs.remedy ?? "";
  }

  /** The step summaries, by stage, in the order of the stages. */
  summaries(): { readonly stage: string; readonly markdown: string }[] {
    return this.#stages
      .filter(({ summaries }) => summaries.length > 0)
      .map(({ definition, summaries }) => ({ stage: definition.name, markdown: summaries.join("\n") }));
  }

  /** Every stage, those too that did not run and why. */
  stages(): Stage[] {
    this.#tellEnded();
    const planned = this.#planned();
    let stopper = this.#stopper();
    const shown = this.#stages.filter(
      ({ definition, outcome }) => !definition.onlyAfterFailure || outcome !== "skipped",
    );
    return shown.map((watched) => {
      const { name, plannedAs, job } = watched.definition;
      if (watched.state === "ended" && watched.outcome !== "skipped") return toStage(watched);
      if (watched.state === "running") {
        stopper ??= watched;
        return { name, verdict: "inconclusive", seconds: 0, reason: "it was cancelled while it ran" };
      }
      const left = plannedAs === undefined ? undefined : planned.get(plannedAs);
      if (left !== undefined) return { name, verdict: "skipped", seconds: 0, reason: left };
      const error = this.#errors.get(job);
      if (stopper === undefined && error !== undefined) {
        stopper = watched;
        return {
          name,
          verdict: "inconclusive",
          seconds: 0,
          reason: `the runner could not run it: ${error.split("\n")[0]}`,
        };
      }
      const reason = stopper ? `${stopper.definition.name} stopped the pipeline` : "the workflow run ended before it";
      return { name, verdict: "not reached", seconds: 0, reason };
    });
  }

  /** The first stage that ended without a pass. */
  #stopper(): Watched | undefined {
    return this.#stages.find((watched) => watched.state === "ended" && verdictOf(watched) !== "pass");
  }

  /** Why the plan leaves a stage out, by the plan's key. */
  #planned(): Map<string, string> {
    const text = this.output("plan", "plan");
    if (text === "") return new Map();
    const { stages } = JSON.parse(text) as { stages: { stage: string; runs: boolean; reason: string }[] };
    return new Map(stages.filter(({ runs }) => !runs).map(({ stage, reason }) => [stage, reason]));
  }

  #find(job: JobReference, step: StepReference): Watched | undefined {
    return this.#stages.find(({ definition }) => definition.job === job.id && definition.step === step.id);
  }

  #tellEnded(): void {
    for (const watched of this.#stages) {
      if (watched.state !== "ended" || watched.outcome === "skipped" || this.#told.has(watched)) continue;
      this.#told.add(watched);
      this.#listener.ended(toStage(watched));
    }
  }
}

function toStage(watched: Watched): Stage {
  const { definition, seconds, outputs, outcome } = watched;
  const silent =
    outcome === "cancelled" ? "it was cancelled while it ran" : "the step ended without a verdict; see the log";
  const reason = outputs.reason || (outcome === "success" ? "" : silent);
  return { name: definition.name, verdict: verdictOf(watched), seconds, reason };
}

/** The step's own verdict; a step that failed without one, or against one, is never a pass; nor is one that was cancelled. */
function verdictOf({ outputs, outcome }: Watched): StageVerdict {
  const { verdict } = outputs;
  if (outcome !== "success") return verdict === "inconclusive" || outcome === "cancelled" ? "inconclusive" : "fail";
  return verdict === "pass" || verdict === "fail" || verdict === "inconclusive" ? verdict : "inconclusive";
}

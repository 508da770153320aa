import type {
  Conclusion,
  JobReference,
  JobRun,
  RunnerEvent,
  StepReference,
  StepRun,
  WorkflowRun,
} from "./workflow-run.ts";

interface OpenStep {
  readonly reference: StepReference;
  conclusion: Conclusion | undefined;
  seconds: number;
  readonly outputs: Record<string, string>;
  summary: string;
}

interface OpenJob {
  readonly reference: JobReference;
  readonly started: number;
  ended: number | undefined;
  conclusion: Conclusion | undefined;
  readonly steps: Map<string, OpenStep>;
  readonly errors: string[];
}

/** Collects the events of a run into its result. */
export class RunRecord {
  readonly #jobs: OpenJob[] = [];
  readonly #now: () => number;
  readonly #started: number;
  #cancelled = false;

  /** @param now milliseconds on a clock that only goes forward. */
  constructor(now: () => number) {
    this.#now = now;
    this.#started = now();
  }

  /** Whether any job has begun, or was looked at and skipped. */
  get begun(): boolean {
    return this.#jobs.length > 0;
  }

  /** From now on, what fails counts as cancelled. */
  cancel(): void {
    this.#cancelled = true;
  }

  add(event: RunnerEvent): void {
    const job = this.#job(event.job);
    switch (event.type) {
      case "job-ended":
        job.conclusion = this.#because(event.conclusion);
        job.ended = this.#now();
        break;
      case "step-started":
        step(job, event.step);
        break;
      case "step-ended": {
        const ended = step(job, event.step);
        ended.conclusion = this.#because(event.conclusion);
        ended.seconds = event.seconds;
        break;
      }
      case "output":
        step(job, event.step).outputs[event.name] = event.value;
        break;
      case "summary":
        step(job, event.step).summary += event.markdown;
        break;
      case "error":
        job.errors.push(event.message);
        break;
    }
  }

  /** @param exitCode the runner's own exit code, which counts when no job failed. */
  result(exitCode: number, error: string | undefined): WorkflowRun {
    const jobs = this.#jobs.map((job) => this.#close(job));
    const failed = exitCode !== 0 || jobs.some((job) => job.conclusion === "failure" || job.conclusion === "cancelled");
    const conclusion = this.#cancelled ? "cancelled" : failed ? "failure" : "success";
    const seconds = (this.#now() - this.#started) / 1000;
    return { conclusion, seconds, jobs, ...(conclusion !== "success" && error && { error }) };
  }

  #because(conclusion: Conclusion): Conclusion {
    return this.#cancelled && conclusion === "failure" ? "cancelled" : conclusion;
  }

  /** The open job of that name, else a new one: a name may come again when two jobs call the same workflow. */
  #job(reference: JobReference): OpenJob {
    const open = this.#jobs.find((job) => job.reference.name === reference.name && job.ended === undefined);
    if (open) return open;
    const job: OpenJob = {
      reference,
      started: this.#now(),
      ended: undefined,
      conclusion: undefined,
      steps: new Map(),
      errors: [],
    };
    this.#jobs.push(job);
    return job;
  }

  #close(job: OpenJob): JobRun {
    const unfinished: Conclusion = this.#cancelled ? "cancelled" : "failure";
    const steps = [...job.steps.values()].map(
      (open): StepRun => ({
        ...open.reference,
        conclusion: open.conclusion ?? unfinished,
        seconds: open.seconds,
        outputs: open.outputs,
        summary: open.summary,
      }),
    );
    return {
      ...job.reference,
      conclusion: job.conclusion ?? unfinished,
      seconds: ((job.ended ?? this.#now()) - job.started) / 1000,
      steps,
      outputs: Object.assign({}, ...steps.map(({ outputs }) => outputs)),
      errors: job.errors,
    };
  }
}

function step(job: OpenJob, reference: StepReference): OpenStep {
  const known = job.steps.get(reference.id);
  if (known) return known;
  const open: OpenStep = { reference, conclusion: undefined, seconds: 0, outputs: {}, summary: "" };
  job.steps.set(reference.id, open);
  return open;
}

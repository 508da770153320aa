/** The outcome of a step or a job, in GitHub's words. */
export type Conclusion = "success" | "failure" | "cancelled" | "skipped";

/** Which job an event is about. */
export interface JobReference {
  /** The job's key in its workflow file. */
  readonly id: string;
  /** The calling job or the workflow, then the job: `pipeline/train`, `release/model-pipeline/build`. */
  readonly name: string;
}

/** Which step an event is about. */
export interface StepReference {
  /** The step's own id, or its place among the job's steps, counted from 0. */
  readonly id: string;
  readonly name: string;
}

interface InJob {
  readonly job: JobReference;
}

interface InStep extends InJob {
  readonly step: StepReference;
}

/** What happens in a run, as it happens. Secrets are replaced by `***` everywhere. */
export type RunnerEvent =
  | (InJob & { readonly type: "job-started" })
  | (InJob & { readonly type: "job-ended"; readonly conclusion: Conclusion })
  | (InStep & { readonly type: "step-started" })
  | (InStep & { readonly type: "step-ended"; readonly conclusion: Conclusion; readonly seconds: number })
  | (InStep & { readonly type: "log"; readonly line: string })
  | (InStep & { readonly type: "group"; readonly title: string | undefined })
  | (InStep & { readonly type: "annotation"; readonly level: "error" | "warning" | "notice"; readonly message: string })
  | (InStep & { readonly type: "output"; readonly name: string; readonly value: string })
  | (InStep & { readonly type: "summary"; readonly markdown: string })
  /** Why a step or a job failed, in the runner's words. */
  | (InJob & { readonly type: "error"; readonly message: string });

export interface StepRun extends StepReference {
  readonly conclusion: Conclusion;
  readonly seconds: number;
  readonly outputs: Readonly<Record<string, string>>;
  /** What the step wrote for people, in Markdown; empty when it wrote nothing. */
  readonly summary: string;
}

export interface JobRun extends JobReference {
  readonly conclusion: Conclusion;
  readonly seconds: number;
  readonly steps: readonly StepRun[];
  /** The outputs of the job's steps by name; of two steps with the same output, the later one's. */
  readonly outputs: Readonly<Record<string, string>>;
  /** What the runner said about the failure, if the job failed. */
  readonly errors: readonly string[];
}

export interface WorkflowRun {
  readonly conclusion: "success" | "failure" | "cancelled";
  readonly seconds: number;
  readonly jobs: readonly JobRun[];
  /** What the runner said last, when the run did not succeed. */
  readonly error?: string;
}

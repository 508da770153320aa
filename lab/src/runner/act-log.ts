import type { Redaction } from "./redaction.ts";
import type { Conclusion, JobReference, RunnerEvent, StepReference } from "./workflow-run.ts";

/** One line of act's `--json` log, as far as it is used here. */
interface ActRecord {
  readonly level?: string;
  readonly msg?: string;
  readonly job?: string;
  readonly jobID?: string;
  readonly jobResult?: string;
  readonly stage?: string;
  readonly step?: string;
  readonly stepID?: readonly string[];
  readonly stepid?: readonly string[];
  readonly stepResult?: string;
  /** Nanoseconds. */
  readonly executionTime?: number;
  readonly raw_output?: boolean;
  readonly command?: string;
  readonly name?: string;
  readonly arg?: string;
  readonly content?: string;
}

function parse(line: string): ActRecord | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as ActRecord;
  } catch {
    return undefined;
  }
}

function conclusionOf(result: string): Conclusion {
  return result === "success" || result === "skipped" || result === "cancelled" ? result : "failure";
}

/**
 * Reads a line of act's log. The stages before and after a step's main part count as steps of their own only for their
 * log, since GitHub shows them so; steps inside a composite action belong to the step that uses it.
 * @returns the events that the line stands for; none for the many lines that only matter to act.
 */
export function readActLine(line: string, redaction: Redaction): RunnerEvent[] {
  const record = parse(line);
  if (record?.job === undefined || record.jobID === undefined) return [];
  if (record.command === "add-mask") redaction.add(record.arg ?? "");
  const clean = (text: string | undefined) => redaction.text(text ?? "");
  const job: JobReference = { id: record.jobID, name: clean(record.job).trim() };
  if (record.jobResult !== undefined) return [{ type: "job-ended", job, conclusion: conclusionOf(record.jobResult) }];
  if (record.stepid?.[0] === "--setup-job" && record.msg?.includes("Run Set up job"))
    return [{ type: "job-started", job }];

  const [id, ...inner] = record.stepID ?? [];
  const step = id === undefined ? undefined : stepOf(id, record, clean);
  if (record.level === "error" && !record.raw_output && !record.command) {
    return [{ type: "error", job, message: clean(record.msg).trim() }];
  }
  if (!step) return [];
  if (record.raw_output) {
    return record.level === "debug" ? [] : [{ type: "log", job, step, line: clean(record.msg).replace(/\r?\n$/, "") }];
  }
  if (record.command !== undefined) return commandEvents(record, job, step, clean);
  if (inner.length > 0) return [];
  if (record.stepResult !== undefined && (record.stage === "Main" || record.stepResult !== "skipped")) {
    return [
      {
        type: "step-ended",
        job,
        step,
        conclusion: conclusionOf(record.stepResult),
        seconds: (record.executionTime ?? 0) / 1e9,
      },
    ];
  }
  if (record.level === "info" && record.msg?.startsWith(`⭐ Run ${record.stage}`))
    return [{ type: "step-started", job, step }];
  return [];
}

function stepOf(id: string, record: ActRecord, clean: (text: string | undefined) => string): StepReference {
  // act names a step that runs a script by the whole script: the first line is enough for people.
  const name = clean(record.step).trim().split("\n")[0] ?? "";
  if (record.stage === "Main" || record.stage === undefined) return { id, name };
  return { id: `${record.stage.toLowerCase()}:${id}`, name: `${record.stage} ${name}` };
}

function commandEvents(
  record: ActRecord,
  job: JobReference,
  step: StepReference,
  clean: (text: string | undefined) => string,
): RunnerEvent[] {
  switch (record.command) {
    case "set-output":
      // A workflow command announces itself first, without the output's name.
      return record.name === undefined
        ? []
        : [{ type: "output", job, step, name: record.name, value: clean(record.arg) }];
    case "summary":
      return [{ type: "summary", job, step, markdown: clean(record.content) }];
    case "error":
    case "warning":
    case "notice":
      return [{ type: "annotation", job, step, level: record.command, message: clean(record.arg) }];
    case "group":
      return [{ type: "group", job, step, title: clean(record.arg) }];
    case "endgroup":
      return [{ type: "group", job, step, title: undefined }];
    default:
      return [];
  }
}

import { curlLine } from "./endpoint.ts";
import type { Stage, StageVerdict } from "./stages.ts";

/** `lab/out/pipeline.json`. */
export interface PipelineReport {
  readonly stages: readonly Stage[];
  /** The image by digest; empty where none was built. */
  readonly image: string;
  readonly modelVersion: string;
  readonly endpoints: { readonly staging: string; readonly production: string };
  readonly mlflow: string;
  /** What to do about the stage that did not pass; empty where all did. */
  readonly remedy: string;
}

export const marks: Readonly<Record<StageVerdict, string>> = {
  pass: "✔",
  fail: "✘",
  inconclusive: "?",
  skipped: "-",
  "not reached": "·",
};

/** The stages as a table for a terminal of that width. */
export function stageTable(stages: readonly Stage[], columns: number): string {
  const names = Math.max(5, ...stages.map(({ name }) => name.length));
  const verdicts = Math.max(7, ...stages.map(({ verdict }) => verdict.length));
  const room = Math.max(30, columns - names - verdicts - 16);
  const rows = stages.map(({ name, verdict, seconds, reason }) => {
    const time = verdict === "skipped" || verdict === "not reached" ? "" : `${seconds.toFixed(1)} s`;
    const [first = "", ...more] = wrap(reason, room);
    const indent = " ".repeat(names + verdicts + 16);
    const line = `${marks[verdict]} ${name.padEnd(names)}  ${verdict.padEnd(verdicts)}  ${time.padStart(8)}  ${first}`;
    return [line.trimEnd(), ...more.map((text) => indent + text)].join("\n");
  });
  return [`  ${"stage".padEnd(names)}  ${"verdict".padEnd(verdicts)}  ${"time".padStart(8)}  reason`, ...rows].join(
    "\n",
  );
}

/** Text in lines of at most `width` characters, broken between words. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Whether everything that was to run passed. */
export function allPassed(stages: readonly Stage[]): boolean {
  return stages.every(({ verdict }) => verdict === "pass" || verdict === "skipped");
}

/** What a person wants to know at the end. The curl line invites only after a run that got there. */
export function closingLines(report: PipelineReport, answer: number | string | undefined): string {
  const passed = allPassed(report.stages);
  const lines: string[] = [];
  if (report.remedy) lines.push(`what to do     ${report.remedy}`);
  if (report.image) lines.push(`image          ${report.image}`);
  if (report.modelVersion) lines.push(`model version  ${report.modelVersion}`);
  if (report.mlflow) lines.push(`MLflow         ${report.mlflow}`);
  lines.push("details        lab/out/summaries, lab/out/pipeline.log");
  const { production } = report.endpoints;
  if (production) {
    const sees = typeof answer === "number" ? `sees the digit ${answer}` : `does not answer: ${answer}`;
    lines.push(`production     ${production} ${passed ? sees : `still serves what it served: it ${sees}`}`);
    if (passed) lines.push("", "Ask it yourself:", curlLine(production));
  }
  return lines.join("\n");
}

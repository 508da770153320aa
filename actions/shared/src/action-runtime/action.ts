import { appendFileSync } from "node:fs";
import { setOutput } from "@actions/core";
import { heading, limitSummary, paragraph } from "../report/markdown.ts";
import { cancellation } from "./cancellation.ts";
import { type Clock, systemClock } from "./clock.ts";
import { toActionError } from "./error.ts";
import { type InputSchemas, type Inputs, inputVariable, isSecret, readInputs } from "./inputs.ts";
import { Log } from "./log.ts";
import { Redactor } from "./redaction.ts";
import type { StageResult, Verdict } from "./verdict.ts";

/** What an action's work gets besides its inputs. */
export interface ActionContext {
  /** The action's name, which is also the stage's name in evidence. */
  readonly action: string;
  readonly log: Log;
  /** Keeps secrets that the work meets later, such as an exchanged token, out of all that is printed. */
  readonly redactor: Redactor;
  /** Aborted when the runner cancels the job; its reason is an `ActionError`. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Action<S extends InputSchemas, Outputs extends Record<string, string>> {
  readonly name: string;
  readonly inputs: S;
  readonly run: (inputs: Inputs<S>, context: ActionContext) => Promise<StageResult<Outputs>>;
}

/** How an action ended, as it is set in the outputs that every action has. */
interface Ending {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly remedy: string;
  readonly code: string;
}

/**
 * Runs an action as the workflow runner expects it: inputs from the environment, secrets masked before anything else,
 * outputs, step summary, one error annotation with its remedy, and an exit code of 0 for `pass` alone.
 *
 * Every action has the outputs `verdict`, `reason`, `remedy` and `code` (empty, or the error's stable code).
 */
export async function runAction<S extends InputSchemas, Outputs extends Record<string, string>>(
  action: Action<S, Outputs>,
): Promise<void> {
  const redactor = new Redactor();
  const log = new Log(redactor);
  const signal = cancellation(action.name);
  const environment = process.env;
  const clock = systemClock;
  const started = clock.now();
  for (const [name, schema] of Object.entries(action.inputs))
    if (isSecret(schema)) redactor.add(environment[inputVariable(name)]);

  let summary = "";
  let ending: Ending;
  try {
    const inputs = readInputs(action.inputs, environment);
    const result = await action.run(inputs, { action: action.name, log, redactor, signal, clock, environment });
    for (const [name, value] of Object.entries(result.outputs)) setOutput(name, redactor.redact(value));
    ending = { verdict: result.verdict, reason: result.reason, remedy: result.remedy ?? "", code: result.code ?? "" };
    summary = result.summary;
  } catch (thrown) {
    const error = toActionError(signal.aborted ? signal.reason : thrown);
    if (error.code === "UNEXPECTED" && environment.RUNNER_DEBUG === "1") log.line(String((thrown as Error)?.stack));
    ending = { verdict: error.blame, reason: error.message, remedy: error.remedy, code: error.code };
  }
  report(action.name, ending, summary, (clock.now() - started) / 1_000, log, redactor);
  process.exitCode = ending.verdict === "pass" ? 0 : 1;
  // A socket that a server keeps open must not hold the job; what is written is flushed first.
  process.stdout.write("", () => process.exit());
}

function report(name: string, ending: Ending, summary: string, seconds: number, log: Log, redactor: Redactor): void {
  for (const [output, value] of Object.entries(ending)) setOutput(output, redactor.redact(value));
  const mark = { pass: "✅", fail: "❌", inconclusive: "⚠️" }[ending.verdict];
  log.line(`${mark} ${name}: ${ending.verdict}: ${ending.reason} (${seconds.toFixed(1)} s)`);
  if (ending.verdict !== "pass") {
    const code = ending.code === "" ? "" : ` [${ending.code}]`;
    const remedy = ending.remedy === "" ? "" : `\nWhat to do: ${ending.remedy}`;
    log.annotate("error", `${name}: ${ending.verdict}${code}`, `${ending.reason}${remedy}`);
  }
  const file = process.env.GITHUB_STEP_SUMMARY;
  if (!file) return;
  const remedy = ending.remedy === "" ? "" : paragraph(`What to do: ${ending.remedy}`);
  const text = heading(3, `${mark} ${name}: ${ending.verdict}`) + paragraph(ending.reason) + remedy + summary;
  appendFileSync(file, limitSummary(redactor.redact(text)));
}

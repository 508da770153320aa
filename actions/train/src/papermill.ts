import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ActionContext } from "../../shared/src/action-runtime/action.ts";
import { ActionError } from "../../shared/src/action-runtime/error.ts";
import { run, toolEnvironment } from "../../shared/src/child-process/run.ts";
import { type CellFailure, cellLabels, findFailure, readNotebook } from "./notebook.ts";
import { PapermillOutput } from "./papermill-output.ts";
import { type Parameters, toYaml } from "./parameters.ts";

export interface Execution {
  readonly python: string;
  /** Absolute. It runs in its folder. */
  readonly notebook: string;
  readonly parameters: Parameters;
  /** An empty folder for papermill's files. */
  readonly scratch: string;
  readonly timeoutMilliseconds: number;
  /** Given to the notebook over the action's own environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** How the notebook ended. `text` is the notebook as papermill wrote it last, undefined where it wrote none. */
export interface Executed {
  readonly outcome: "finished" | "failed" | "timeout";
  /** The code cell that ran last, for people; empty where none did. */
  readonly lastCell: string;
  readonly text: string | undefined;
  /** The cell whose exception ended it. */
  readonly failure: CellFailure | undefined;
  /** Last lines that papermill printed. */
  readonly tail: string;
}

/** Between two lines that say that a cell still runs, in milliseconds. */
const heartbeat = 30_000;

/**
 * Runs a notebook with papermill, which saves it after each cell. Its output is streamed, one line for each cell that
 * begins, and a line now and then while a cell runs on in silence.
 *
 * @throws ActionError `PAPERMILL_MISSING`, and the signal's reason.
 */
export async function runNotebook(
  execution: Execution,
  { log, signal, clock }: Pick<ActionContext, "log" | "signal" | "clock">,
): Promise<Executed> {
  const { python, notebook, scratch, timeoutMilliseconds } = execution;
  await requirePapermill(python, signal);
  const parametersFile = join(scratch, "parameters.yaml");
  const executedFile = join(scratch, "executed.ipynb");
  await writeFile(parametersFile, `${toYaml(execution.parameters)}\n`);
  const notebookText = await readFile(execution.notebook, "utf8");
  const labels = cellLabels(readNotebook(notebookText) ?? { cells: [] }, Object.keys(execution.parameters).length > 0);
  let lastCell = "";
  let since = clock.now();
  let heard = since;
  const beat = setInterval(() => {
    if (clock.now() - heard < heartbeat) return;
    heard = clock.now();
    log.line(`${lastCell || "papermill"}: still running after ${Math.round((heard - since) / 1_000)} s`);
  }, heartbeat / 3);
  const output = new PapermillOutput();
  const onLine = (text: string) => {
    heard = clock.now();
    for (const line of output.read(text)) {
      if (line.kind === "line") log.tool(line.text);
      const label = line.kind === "cell" ? labels[line.place - 1] : undefined;
      if (label === undefined) continue;
      lastCell = label;
      since = heard;
      log.line(label);
    }
  };
  const finish = async (outcome: Executed["outcome"], tail: string): Promise<Executed> => {
    const written = await readFile(executedFile, "utf8").catch(() => undefined);
    const executed = written === undefined ? undefined : readNotebook(written);
    return { outcome, lastCell, text: written, failure: executed && findFailure(executed), tail };
  };
  try {
    const { exitCode, stderr, stdout } = await run(
      python,
      [
        ...["-m", "papermill", notebook, executedFile, "--parameters_file", parametersFile, "--kernel", "python3"],
        ...["--cwd", dirname(notebook), "--no-progress-bar", "--log-output", "--log-level", "INFO"],
      ],
      {
        signal,
        timeoutMilliseconds,
        graceMilliseconds: 3_000,
        environment: toolEnvironment({ ...execution.environment, ...jupyterEnvironment }),
        onLine,
      },
    );
    return await finish(exitCode === 0 ? "finished" : "failed", tailOf(`${stdout}\n${stderr}`));
  } catch (error) {
    if (error instanceof ActionError && error.code === "TIMEOUT") return await finish("timeout", "");
    throw error;
  } finally {
    clearInterval(beat);
  }
}

const jupyterEnvironment = {
  PYTHONUNBUFFERED: "1",
  // The kernel of this Python, and not one of the same name in the home folder.
  JUPYTER_PREFER_ENV_PATH: "1",
};

/** Prints the names of the packages that are missing, without the second that importing them takes. */
const missingPackages = `from importlib.util import find_spec
print(*[name for name in ("papermill", "ipykernel") if find_spec(name) is None])`;

async function requirePapermill(python: string, signal: AbortSignal): Promise<void> {
  const asked = await run(python, ["-c", missingPackages], { signal, timeoutMilliseconds: 60_000 });
  const missing = asked.stdout.trim().split(" ").join(" and ");
  if (asked.exitCode === 0 && missing === "") return;
  throw new ActionError("PAPERMILL_MISSING", {
    message: `the Python that runs the notebook lacks ${missing || "a working installation"}`,
    remedy: "add papermill and ipykernel to the requirements file, or install them for the Python that `python` names",
  });
}

function tailOf(output: string): string {
  return output.trimEnd().split("\n").slice(-15).join("\n");
}

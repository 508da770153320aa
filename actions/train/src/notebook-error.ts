import { ActionError } from "../../shared/src/action-runtime/error.ts";
import type { CellFailure } from "./notebook.ts";
import type { Executed } from "./papermill.ts";

/** Why a notebook did not finish: the cell with its first lines, and the exception. */
export function notebookError(shown: string, executed: Executed, timeoutMilliseconds: number): ActionError {
  const { outcome, failure, lastCell } = executed;
  const where = lastCell === "" ? "" : `, in ${lastCell}`;
  if (outcome === "timeout")
    return new ActionError("NOTEBOOK_TIMEOUT", {
      message: `${shown} did not end within ${timeoutMilliseconds / 1_000} s and was stopped${where}`,
      remedy: "raise `timeout` if the training is really that long, or find out why the cell does not end",
    });
  if (failure)
    return new ActionError("NOTEBOOK_FAILED", {
      message: `${shown}: code cell ${failure.cell} failed with ${failure.exception} (the cell begins: ${firstLines(failure)})`,
      remedy: "mend the cell; the executed notebook is with the MLflow run, under notebook/",
    });
  if (/DeadKernelError|Kernel died/.test(executed.tail))
    return new ActionError("NOTEBOOK_FAILED", {
      message: `${shown}: the Python kernel died${where}`,
      remedy: "a kernel that dies without an exception is most often out of memory: take a larger runner or less data",
    });
  return new ActionError("NOTEBOOK_FAILED", {
    message: `papermill could not run ${shown}${where}: ${lastLine(executed.tail)}`,
    remedy: "see papermill's lines in the log",
  });
}

function firstLines({ source }: CellFailure): string {
  return source
    .map((line) => line.trim())
    .join(" ⏎ ")
    .slice(0, 300);
}

function lastLine(tail: string): string {
  return tail.split("\n").at(-1)?.slice(0, 500) || "it printed nothing";
}

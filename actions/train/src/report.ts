import type { MlflowApi } from "../../shared/src/mlflow/api.ts";
import { type Run, runPage } from "../../shared/src/mlflow/runs.ts";
import { details, link, paragraph, table } from "../../shared/src/report/markdown.ts";

/** Rows shown of each table; the rest is a click away. */
const shown = 50;

/** The training for people: the run, its parameters and its metrics. */
export function reportTraining(api: MlflowApi, run: Run, earlier: readonly Run[]): string {
  const page = link(run.name || run.id, runPage(api, run));
  const head = table(["MLflow run", "status"], [[page, run.status], ...earlier.map((old) => earlierRow(api, old))]);
  const metrics = Object.entries(run.metrics).map(([name, value]) => [name, formatMetric(value)]);
  return head + listing("parameter", Object.entries(run.parameters)) + listing("metric", metrics);
}

/** The run that did not end well, with the end of the traceback. */
export function reportFailure(api: MlflowApi, run: Run, traceback: readonly string[]): string {
  const trace = traceback.length === 0 ? "" : details("End of the traceback", traceback.join("\n"));
  return reportTraining(api, run, []) + trace;
}

function earlierRow(api: MlflowApi, run: Run) {
  return [link(`earlier attempt: ${run.name || run.id}`, runPage(api, run)), run.status] as const;
}

function listing(kind: string, entries: readonly (readonly string[])[]): string {
  if (entries.length === 0) return "";
  const rest = entries.length - shown;
  const more = rest > 0 ? paragraph(`${rest} more are on the run's page.`) : "";
  return table([kind, "value"], [...entries].sort(byName).slice(0, shown)) + more;
}

const byName = ([a = ""]: readonly string[], [b = ""]: readonly string[]) =>
  a.localeCompare(b, "en", { numeric: true });

function formatMetric(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}

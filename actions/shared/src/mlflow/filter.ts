import { ActionError } from "../action-runtime/error.ts";

/**
 * A text as a literal of MLflow's search filters, which know no escape: one kind of quote must be absent.
 * Source: mlflow/utils/search_utils.py.
 *
 * @throws ActionError `MLFLOW_NAME_INVALID`
 */
export function filterLiteral(text: string): string {
  if (!text.includes("'")) return `'${text}'`;
  if (!text.includes('"')) return `"${text}"`;
  throw new ActionError("MLFLOW_NAME_INVALID", {
    message: `'${text.slice(0, 80)}' holds both kinds of quotes, which MLflow cannot search for`,
    remedy: "use a name without quotes",
  });
}

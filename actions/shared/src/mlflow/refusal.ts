import { ActionError, type ActionErrorDetail } from "../action-runtime/error.ts";
import type { MlflowConnection } from "./connection.ts";

/** MLflow said no. `errorCode` is its own code, empty where something in front of it answered. */
export class MlflowRefusal extends ActionError {
  readonly status: number;
  readonly errorCode: string;

  constructor(code: string, detail: ActionErrorDetail & { status: number; errorCode: string }) {
    super(code, detail);
    this.status = detail.status;
    this.errorCode = detail.errorCode;
  }
}

/** The error for an answer that is not a success; reads its body. */
export async function refusal(response: Response, connection: MlflowConnection, what: string): Promise<MlflowRefusal> {
  const { status } = response;
  const text = await response.text().catch(() => "");
  const { error_code: errorCode = "", message = "" } = parseError(text);
  const said = errorCode === "" ? shorten(text.replace(/<[^>]*>/g, " ")) : `${errorCode}: ${shorten(message)}`;
  const { host } = new URL(connection.address);
  const detail = { status, errorCode, message: `MLflow at ${host} refused to ${what}: HTTP ${status} ${said}`.trim() };
  if (status === 401 || status === 403)
    return new MlflowRefusal("MLFLOW_DENIED", { ...detail, remedy: deniedRemedy(text, connection) });
  if (status >= 300 && status < 400)
    return new MlflowRefusal("MLFLOW_REFUSED", {
      ...detail,
      message: `MLflow at ${host} sends requests on to ${originOf(response.headers.get("location"), connection)}`,
      remedy: "set mlflow-tracking-uri to the address that answers itself, with its scheme (https) and path",
    });
  if (status >= 500 || status === 429 || status === 408)
    return new MlflowRefusal("MLFLOW_REFUSED", {
      ...detail,
      remedy: "look at the MLflow server's log, then re-run the job; it continues from what is already there",
      blame: "inconclusive",
    });
  const notMlflow = status === 404 && errorCode === "";
  return new MlflowRefusal("MLFLOW_REFUSED", {
    ...detail,
    remedy: notMlflow
      ? "check mlflow-tracking-uri: no MLflow 3 server answers below that address (is a path missing, or one too many?)"
      : "see MLflow's message and correct the input that it names",
  });
}

/** A success that is not MLflow's: most often the login page of a proxy. */
export function wrongForm(
  response: Response,
  connection: MlflowConnection,
  what: string,
  cause: unknown,
): MlflowRefusal {
  const type = response.headers.get("content-type") ?? "no content type";
  return new MlflowRefusal("MLFLOW_REFUSED", {
    status: response.status,
    errorCode: "",
    message: `${new URL(connection.address).host} answered ${type} instead of JSON when asked to ${what}`,
    remedy: "check mlflow-tracking-uri; a login page in front of MLflow needs a token that it lets through",
    cause,
  });
}

function parseError(text: string): { error_code?: string; message?: string } {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" ? value : {};
  } catch {
    return {};
  }
}

/** One line of at most 300 characters. SQL and its parameters, which MLflow appends, say nothing to the reader. */
function shorten(text: string): string {
  return String(text).split("\n[SQL")[0]?.replace(/\s+/g, " ").trim().slice(0, 300) ?? "";
}

function deniedRemedy(text: string, connection: MlflowConnection): string {
  if (/host header/i.test(text))
    return "start the MLflow server with --allowed-hosts that names the host in mlflow-tracking-uri";
  return connection.authorization === undefined
    ? "pass mlflow-tracking-token, or mlflow-tracking-username and mlflow-tracking-password"
    : "check the secret behind mlflow-tracking-token or mlflow-tracking-password, and that its account may do this";
}

function originOf(location: string | null, connection: MlflowConnection): string {
  if (location === null || !URL.canParse(location, connection.address)) return "another address";
  const { origin, pathname } = new URL(location, connection.address);
  return `${origin}${pathname}`.slice(0, 200);
}

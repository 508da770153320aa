import { ActionError } from "../action-runtime/error.ts";
import { type Inputs, secret, text } from "../action-runtime/inputs.ts";
import type { Redactor } from "../action-runtime/redaction.ts";

/** The inputs by which every action reaches MLflow. */
export const mlflowInputs = {
  "mlflow-tracking-uri": text(),
  "mlflow-tracking-token": secret(),
  "mlflow-tracking-username": text().optional(),
  "mlflow-tracking-password": secret(),
};

export type MlflowInputs = Inputs<typeof mlflowInputs>;

/** Where MLflow is, and how to log in to it. */
export interface MlflowConnection {
  /** Address without a trailing slash, such as `https://mlflow.example.com/team`. */
  readonly address: string;
  /** Value of the `Authorization` header; absent where the server asks for none. */
  readonly authorization?: string;
  /** The variables by which MLflow's own Python client reaches the same server with the same login. */
  readonly clientEnvironment: Readonly<Record<string, string | undefined>>;
}

/**
 * A connection from an action's inputs. As in MLflow's own client, a username and password win over a token.
 *
 * @throws ActionError `INPUT_INVALID`
 */
export function mlflowConnection(inputs: MlflowInputs, redactor: Redactor): MlflowConnection {
  const address = trackingAddress(inputs["mlflow-tracking-uri"], redactor);
  const token = inputs["mlflow-tracking-token"];
  const username = inputs["mlflow-tracking-username"];
  const password = inputs["mlflow-tracking-password"];
  if ((username === undefined) !== (password === undefined))
    throw invalid(
      `input '${username === undefined ? "mlflow-tracking-username" : "mlflow-tracking-password"}' is missing beside its partner`,
      "pass both mlflow-tracking-username and mlflow-tracking-password, or mlflow-tracking-token alone",
    );
  const clientEnvironment = {
    MLFLOW_TRACKING_URI: address,
    MLFLOW_TRACKING_TOKEN: username === undefined ? token : undefined,
    MLFLOW_TRACKING_USERNAME: username,
    MLFLOW_TRACKING_PASSWORD: password,
  };
  if (username !== undefined && password !== undefined) {
    const encoded = Buffer.from(`${username}:${password}`).toString("base64");
    redactor.add(encoded);
    return { address, authorization: `Basic ${encoded}`, clientEnvironment };
  }
  if (token === undefined) return { address, clientEnvironment };
  if (!/^[\x21-\x7e]+$/.test(token))
    throw invalid(
      "input 'mlflow-tracking-token' holds a character that a header cannot carry, such as a space or a line break",
      "store the token in the secret again, without anything around it",
    );
  return { address, authorization: `Bearer ${token}`, clientEnvironment };
}

/** A login in an address would end up in logs, proxies and process lists, so it is refused before it is shown. */
function trackingAddress(given: string, redactor: Redactor): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  redactor.add(url?.password || undefined);
  if (url && (url.username !== "" || url.password !== ""))
    throw invalid(
      "input 'mlflow-tracking-uri' holds a login",
      "take it out of the address and pass mlflow-tracking-username and mlflow-tracking-password",
    );
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== "")
    throw invalid(
      `input 'mlflow-tracking-uri' is '${given.slice(0, 80)}': expected the address of an MLflow server`,
      "give the address that opens MLflow's own pages, such as https://mlflow.example.com",
    );
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

function invalid(message: string, remedy: string): ActionError {
  return new ActionError("INPUT_INVALID", { message, remedy });
}

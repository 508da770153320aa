import { ActionError } from "../action-runtime/error.ts";
import type { Redactor } from "../action-runtime/redaction.ts";
import { type RequestOptions, request } from "../http/request.ts";
import type { Credentials } from "./credentials.ts";
import { formatRepository, type Repository } from "./reference.ts";

interface Scope {
  readonly repository: Repository;
  /** Such as `pull,push`. */
  readonly actions: string;
  readonly credentials: Credentials | undefined;
}

type Common = Pick<RequestOptions, "service" | "unreachableCode" | "unreachableRemedy" | "signal">;

/**
 * Answers a registry's `WWW-Authenticate` challenge: Basic, or a bearer token from the service that the challenge names.
 * Source: distribution project, "Token Authentication Specification".
 *
 * @throws ActionError `REGISTRY_DENIED`
 */
export async function authorize(challenge: string, scope: Scope, common: Common, redactor?: Redactor): Promise<string> {
  const { credentials } = scope;
  const basic = credentials && Buffer.from(`${credentials.username}:${credentials.password}`).toString("base64");
  redactor?.add(basic);
  const kind = challenge.split(" ", 1)[0]?.toLowerCase();
  if (kind === "basic" && basic) return `Basic ${basic}`;
  const parameters = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  );
  if (kind !== "bearer" || !parameters.realm)
    throw denied(scope, credentials ? challenge : "no credentials were given");
  if (!URL.canParse(parameters.realm)) throw denied(scope, `its challenge is not understood: ${challenge}`);
  const realm = new URL(parameters.realm);
  if (parameters.service) realm.searchParams.set("service", parameters.service);
  realm.searchParams.set("scope", `repository:${scope.repository.path}:${scope.actions}`);
  const headers = basic ? { authorization: `Basic ${basic}` } : {};
  const response = await request(realm, { ...common, headers });
  if (isUnavailable(response.status)) throw unavailable(realm, response.status);
  if (!response.ok) throw denied(scope, `its token service answered HTTP ${response.status}`);
  const answer = (await response.json().catch(() => undefined)) as
    | { token?: string; access_token?: string }
    | undefined;
  const token = answer?.token ?? answer?.access_token;
  if (!token) throw denied(scope, "its token service gave no token");
  redactor?.add(token);
  return `Bearer ${token}`;
}

/** Whether a status says that a service cannot answer now: it failed, or we asked too often. */
export function isUnavailable(status: number): boolean {
  return status === 429 || status >= 500;
}

function unavailable(realm: URL, status: number): ActionError {
  return new ActionError("REGISTRY_UNREACHABLE", {
    message: `the registry's token service at ${realm.host} answered HTTP ${status}`,
    remedy: "re-run when the registry is well again; its status page may say more",
    blame: "inconclusive",
  });
}

function denied(scope: Scope, why: string): ActionError {
  return new ActionError("REGISTRY_DENIED", {
    message: `registry ${formatRepository(scope.repository)} asks for a login: ${why}`,
    remedy: "pass registry-username and registry-password, or log in to the registry in an earlier step",
  });
}

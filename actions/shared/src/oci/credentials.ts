import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Redactor } from "../action-runtime/redaction.ts";

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/**
 * The credentials for a registry: those given to the action, else those that an earlier `docker login` step left in
 * Docker's configuration. Credential helpers are not run.
 */
export async function findCredentials(
  registry: string,
  given: { readonly username: string | undefined; readonly password: string | undefined },
  redactor: Redactor,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Credentials | undefined> {
  if (given.username !== undefined && given.password !== undefined)
    return { username: given.username, password: given.password };
  const folder = environment.DOCKER_CONFIG ?? join(homedir(), ".docker");
  const configuration = await readFile(join(folder, "config.json"), "utf8").catch(() => undefined);
  const credentials = configuration === undefined ? undefined : fromDockerConfiguration(configuration, registry);
  redactor.add(credentials?.password);
  return credentials;
}

/** Docker Hub is kept under its historic address. */
function fromDockerConfiguration(text: string, registry: string): Credentials | undefined {
  const key = registry === "docker.io" ? "https://index.docker.io/v1/" : registry;
  try {
    const { auths } = JSON.parse(text) as { auths?: Record<string, { auth?: string }> };
    const auth = auths?.[key]?.auth;
    if (auth === undefined) return undefined;
    const decoded = Buffer.from(auth, "base64").toString("utf8");
    const colon = decoded.indexOf(":");
    return colon < 0 ? undefined : { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
  } catch {
    return undefined;
  }
}

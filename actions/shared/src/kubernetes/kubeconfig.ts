import { rmSync } from "node:fs";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { parse } from "yaml";
import type { ActionContext } from "../action-runtime/action.ts";
import { ActionError } from "../action-runtime/error.ts";
import type { Redactor } from "../action-runtime/redaction.ts";

export interface KubeconfigSource {
  /** The text of a kubeconfig, or the base64 of it; undefined for the runner's own. */
  readonly text: string | undefined;
  /** Context to use; undefined for the current one. */
  readonly context: string | undefined;
}

/** A kubeconfig that tools can be pointed at. Disposing of it removes the file, if it was ours. */
export interface Kubeconfig extends Disposable {
  /** What goes into the environment of kubectl and helm; empty where the tools find their configuration themselves. */
  readonly variables: Readonly<Record<string, string>>;
  readonly context: string | undefined;
}

interface KubeconfigFile {
  readonly "current-context"?: string;
  readonly contexts?: readonly { readonly name?: string }[];
  readonly clusters?: readonly unknown[];
}

/**
 * Makes a kubeconfig ready for kubectl and helm. A given text is written to a file that only this user can read, and is
 * removed when the action ends, however it ends. Every field of it is kept out of the log.
 *
 * @throws ActionError `KUBECONFIG_INVALID`
 */
export async function openKubeconfig(
  source: KubeconfigSource,
  { redactor, environment }: Pick<ActionContext, "redactor" | "environment">,
): Promise<Kubeconfig> {
  if (source.text === undefined) return runnersOwn(source.context, environment, redactor);
  const text = decode(source.text);
  redactor.add(text);
  const parsed = readKubeconfig(text, "the input 'kubeconfig'", redactor);
  requireContext(parsed, source.context, "the input 'kubeconfig'");
  const folder = await mkdtemp(join(environment.RUNNER_TEMP || tmpdir(), "kubeconfig-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  const path = join(folder, "config");
  await writeFile(path, text, { mode: 0o600 });
  return {
    variables: { KUBECONFIG: path },
    context: source.context,
    [Symbol.dispose]() {
      process.removeListener("exit", remove);
      remove();
    },
  };
}

/** The configuration that an earlier step, or whoever set up the runner, left for kubectl. */
async function runnersOwn(
  context: string | undefined,
  environment: ActionContext["environment"],
  redactor: Redactor,
): Promise<Kubeconfig> {
  const listed = environment.KUBECONFIG?.split(delimiter).filter((path) => path !== "") ?? [];
  const paths = listed.length > 0 ? listed : [join(environment.HOME || homedir(), ".kube", "config")];
  const texts = await Promise.all(paths.map((path) => readFile(path, "utf8").catch(() => undefined)));
  const found = texts.filter((text) => text !== undefined);
  const inCluster = environment.KUBERNETES_SERVICE_HOST !== undefined;
  if (found.length === 0 && !inCluster)
    throw new ActionError("KUBECONFIG_INVALID", {
      message: `no kubeconfig was given, and the runner has none (looked at ${paths.join(", ")})`,
      remedy: "pass the environment's secret as `kubeconfig`, or set KUBECONFIG in an earlier step",
    });
  const files = found.map((text, index) => {
    redactor.add(text);
    return readKubeconfig(text, paths[index] ?? "KUBECONFIG", redactor);
  });
  if (context !== undefined) {
    const merged = { contexts: files.flatMap((file) => file.contexts ?? []) };
    requireContext(merged, context, "the runner's kubeconfig");
  }
  return { variables: {}, context, [Symbol.dispose]: () => undefined };
}

/** Secrets are often stored as base64, since some tools print them so. A kubeconfig itself is never valid base64. */
function decode(text: string): string {
  const compact = text.replace(/\s+/g, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) return text;
  return Buffer.from(compact, "base64").toString("utf8");
}

function readKubeconfig(text: string, where: string, redactor: Redactor): KubeconfigFile {
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 10 });
  } catch {
    throw invalid(where, "it is not YAML");
  }
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw invalid(where, "it is not a kubeconfig: a mapping with clusters, users and contexts was expected");
  const file = value as KubeconfigFile;
  if (!Array.isArray(file.clusters) || file.clusters.length === 0) throw invalid(where, "it names no cluster");
  if (!Array.isArray(file.contexts) || file.contexts.length === 0) throw invalid(where, "it names no context");
  for (const secret of encodedSecrets(value)) redactor.add(secret);
  return file;
}

/** Certificates and keys as tools print them: decoded. */
function encodedSecrets(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(encodedSecrets);
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    typeof inner === "string" && key === "client-key-data"
      ? [Buffer.from(inner, "base64").toString("utf8")]
      : encodedSecrets(inner),
  );
}

function requireContext(file: KubeconfigFile, wanted: string | undefined, where: string): void {
  const names = (file.contexts ?? []).map(({ name }) => name ?? "");
  const name = wanted ?? file["current-context"];
  if (!name) throw invalid(where, `it sets no current-context; contexts: ${names.join(", ")}`);
  if (!names.includes(name)) throw invalid(where, `it has no context '${name}'; contexts: ${names.join(", ")}`);
}

function invalid(where: string, why: string): ActionError {
  return new ActionError("KUBECONFIG_INVALID", {
    message: `${where} cannot be used: ${why}`,
    remedy: "store the whole text of a kubeconfig (or its base64) as the secret, and name its context with `context`",
  });
}

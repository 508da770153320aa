import type { ActionContext } from "../../shared/src/action-runtime/action.ts";
import { ActionError } from "../../shared/src/action-runtime/error.ts";
import { type RunOptions, type RunResult, run, toolEnvironment } from "../../shared/src/child-process/run.ts";
import { clusterError, isUnreachable } from "../../shared/src/kubernetes/error.ts";
import type { Kubeconfig } from "../../shared/src/kubernetes/kubeconfig.ts";
import { findTool } from "../../shared/src/toolchain/find.ts";
import { helm as helmTool } from "../../shared/src/toolchain/tools.ts";
import type { Chart } from "./chart.ts";
import type { Revision } from "./release-history.ts";

/** The runner's Helm, version 3 or 4, pointed at one cluster. */
export class Helm {
  /** 3 or 4: their flags differ. */
  readonly major: number;
  readonly #path: string;
  readonly #kubeconfig: Kubeconfig;
  readonly #signal: AbortSignal;
  readonly #variables: Record<string, string> = {};

  constructor(path: string, major: number, kubeconfig: Kubeconfig, signal: AbortSignal) {
    this.#path = path;
    this.major = major;
    this.#kubeconfig = kubeconfig;
    this.#signal = signal;
  }

  /** @throws ActionError `TOOL_MISSING`, `TOOL_TOO_OLD` */
  static async find(kubeconfig: Kubeconfig, context: ActionContext): Promise<Helm> {
    const tool = await findTool(helmTool, context);
    return new Helm(tool.command, tool.version[0], kubeconfig, context.signal);
  }

  /** Runs Helm to its end, with any exit code. */
  run(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    const context = this.#kubeconfig.context;
    return run(this.#path, [...args, ...(context === undefined ? [] : ["--kube-context", context])], {
      environment: toolEnvironment({ ...this.#kubeconfig.variables, ...this.#variables }),
      signal: this.#signal,
      ...options,
    });
  }

  /** Logs in to the registry of an oci:// chart. The account is kept in the file `configuration` alone, not in the home. */
  async logIn(
    { registry = "", plainHttp }: Pick<Chart, "registry" | "plainHttp">,
    username: string,
    password: string,
    configuration: string,
  ): Promise<void> {
    this.#variables.HELM_REGISTRY_CONFIG = configuration;
    const login = ["registry", "login", registry, "--username", username, "--password-stdin"];
    const args = [...login, ...(plainHttp ? ["--plain-http"] : [])];
    const result = await this.run(args, { input: password, timeoutMilliseconds: 60_000 });
    if (result.exitCode === 0) return;
    throw new ActionError("CHART_NOT_FOUND", {
      message: `helm could not log in to ${registry} for the chart: ${lastLine(result.stderr)}`,
      remedy: "check registry-username and registry-password",
    });
  }

  /** The revisions of a release; empty where there is none. */
  async history(release: string, namespace: string): Promise<readonly Revision[]> {
    const result = await this.#read(["history", release, "--namespace", namespace, "--max", "50"]);
    return (result as Revision[] | undefined) ?? [];
  }

  /** All values of a revision, the chart's own defaults included. */
  async values(release: string, namespace: string, revision: number): Promise<unknown> {
    const which = ["--namespace", namespace, "--revision", String(revision), "--all"];
    return await this.#read(["get", "values", release, ...which]);
  }

  async #read(args: readonly string[]): Promise<unknown> {
    const result = await this.run([...args, "--output", "json"], { timeoutMilliseconds: 60_000 });
    if (result.exitCode === 0) return JSON.parse(result.stdout);
    if (/release: not found/.test(result.stderr)) return undefined;
    throw clusterError(`read release ${args.at(1)}`, result.stderr);
  }
}

/** What an unsuccessful `helm upgrade` or `rollback` says. */
export type HelmFailure = "timeout" | "locked" | "unreachable" | "internal" | "other";

export function helmFailure(stderr: string): HelmFailure {
  if (/another operation \(install\/upgrade\/rollback\) is in progress/.test(stderr)) return "locked";
  if (/context deadline exceeded|timed out waiting|would exceed context deadline|resource .* not ready/i.test(stderr))
    return "timeout";
  if (/Internal error occurred|InternalError|etcdserver:|too many requests/i.test(stderr)) return "internal";
  return isUnreachable(stderr) ? "unreachable" : "other";
}

/** The line in which Helm says what went wrong. */
export function lastLine(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  const error = lines.findLast((line) => line.startsWith("Error:"));
  return (error ?? lines.at(-1) ?? "helm said nothing").replace(/^Error: /, "").slice(0, 800);
}

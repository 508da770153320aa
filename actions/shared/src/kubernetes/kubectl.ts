import type { ActionContext } from "../action-runtime/action.ts";
import type { Clock } from "../action-runtime/clock.ts";
import { type RunOptions, type RunResult, run, toolEnvironment } from "../child-process/run.ts";
import { findTool } from "../toolchain/find.ts";
import { kubectl as kubectlTool } from "../toolchain/tools.ts";
import { clusterError } from "./error.ts";
import type { Kubeconfig } from "./kubeconfig.ts";

/**
 * The cluster, through the runner's kubectl: it knows every form of kubeconfig, credential plugins of the clouds included,
 * and weighs nothing in the action's bundle.
 */
export class Kubectl {
  readonly #path: string;
  readonly #kubeconfig: Kubeconfig;
  /** Aborted when the job is cancelled. */
  readonly signal: AbortSignal;
  readonly #clock: Clock;

  constructor(path: string, kubeconfig: Kubeconfig, { signal, clock }: Pick<ActionContext, "signal" | "clock">) {
    this.#path = path;
    this.#kubeconfig = kubeconfig;
    this.signal = signal;
    this.#clock = clock;
  }

  /** @throws ActionError `TOOL_MISSING`, `TOOL_TOO_OLD` */
  static async find(
    kubeconfig: Kubeconfig,
    context: Pick<ActionContext, "log" | "signal" | "clock" | "environment">,
  ): Promise<Kubectl> {
    const tool = await findTool(kubectlTool, context);
    return new Kubectl(tool.command, kubeconfig, context);
  }

  /** Runs kubectl to its end, with any exit code. */
  run(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    const context = this.#kubeconfig.context;
    return run(this.#path, [...(context === undefined ? [] : ["--context", context]), ...args], {
      environment: toolEnvironment(this.#kubeconfig.variables),
      signal: this.signal,
      timeoutMilliseconds: 60_000,
      keep: 64 * 1024 * 1024,
      ...options,
    });
  }

  /**
   * One object, or undefined where there is none of that name.
   *
   * @throws ActionError `CLUSTER_UNREACHABLE`, `CLUSTER_DENIED`, `CLUSTER_FORBIDDEN`, `CLUSTER_REFUSED`
   */
  async get<T>(kind: string, name: string, namespace?: string): Promise<T | undefined> {
    const result = await this.#read(["get", kind, name, ...inNamespace(namespace), "--ignore-not-found", "-o", "json"]);
    return result.stdout.trim() === "" ? undefined : (JSON.parse(result.stdout) as T);
  }

  /** Objects of one or several kinds (`pods,events`) in a namespace. Throws as `get` does. */
  async list<T>(kinds: string, namespace: string, selector?: string): Promise<readonly T[]> {
    const chosen = selector === undefined ? [] : ["-l", selector];
    const result = await this.#read(["get", kinds, ...inNamespace(namespace), ...chosen, "-o", "json"]);
    return (JSON.parse(result.stdout) as { items: T[] }).items;
  }

  /** Creates an object. Resolves with whether it was created; false where one of that name is there already. */
  async create(object: object): Promise<boolean> {
    const result = await this.run(["create", "-f", "-", "--request-timeout=20s"], { input: JSON.stringify(object) });
    if (result.exitCode === 0) return true;
    if (/AlreadyExists|already exists/.test(result.stderr)) return false;
    throw clusterError("create", result.stderr);
  }

  /** The last lines of a container's log, or undefined where there is none. */
  async logs(
    namespace: string,
    pod: string,
    container: string,
    { previous, lines }: { previous: boolean; lines: number },
  ): Promise<string | undefined> {
    const args = ["logs", pod, "-c", container, ...inNamespace(namespace), `--tail=${lines}`, "--limit-bytes=65536"];
    const result = await this.run([...args, ...(previous ? ["--previous"] : []), "--request-timeout=10s"]);
    return result.exitCode === 0 ? containerLog(result.stdout) : undefined;
  }

  /** Reading is repeated when the cluster does not answer: a control plane that is being upgraded is away for seconds. */
  async #read(args: readonly string[]): Promise<RunResult> {
    for (let attempt = 1; ; attempt += 1) {
      const result = await this.run([...args, "--request-timeout=15s"]);
      if (result.exitCode === 0) return result;
      const error = clusterError(`read ${args[1]}`, result.stderr);
      if (error.code !== "CLUSTER_UNREACHABLE" || attempt === 3) throw error;
      await this.#clock.sleep(1_000 * attempt, this.signal);
    }
  }
}

/**
 * A log without the sentence that the kubelet puts in place of one that it has removed already; undefined if nothing else is
 * in it. Source: kubernetes, pkg/kubelet/kubelet_pods.go.
 */
export function containerLog(text: string): string | undefined {
  const lines = text.split("\n").filter((line) => !/^unable to retrieve container logs for \S+$/.test(line));
  return lines.some((line) => line.trim() !== "") ? lines.join("\n") : undefined;
}

function inNamespace(namespace: string | undefined): string[] {
  return namespace === undefined ? [] : ["--namespace", namespace];
}

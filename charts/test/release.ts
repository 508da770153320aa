import { execFile, execFileSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { inject } from "vitest";
import { chart } from "../../tooling/src/chart/render.ts";
import { root } from "../../tooling/src/repository/repository.ts";

const run = promisify(execFile);
const { addresses, environment } = inject("lab");
const env = { ...process.env, ...environment };
const context = addresses.kubernetes.context;

/** What a program printed, and the exit code that it ended with. */
export interface Ended {
  readonly code: number;
  readonly output: string;
}

export function kubectl(...args: readonly string[]): string {
  const command = ["--context", context, ...args];
  return execFileSync("kubectl", command, { env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
}

/** Applies a manifest; the API server's answer. */
export function apply(manifest: string, ...flags: readonly string[]): string {
  const command = ["--context", context, "apply", ...flags, "-f", "-"];
  return execFileSync("kubectl", command, { env, encoding: "utf8", input: manifest, stdio: ["pipe", "pipe", "pipe"] });
}

/** A release of the chart in a namespace of its own, which takes pods only by Pod Security `restricted`. */
export class Release {
  readonly namespace: string;
  readonly #helm: string;

  /** @param helm the path of helm, 3 or 4 */
  constructor(helm: string, namespace: string) {
    this.#helm = helm;
    this.namespace = namespace;
    kubectl("create", "namespace", namespace);
    kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted");
  }

  /** Runs helm to its end, whatever that is. */
  async try(command: string, ...args: readonly string[]): Promise<Ended> {
    const flags = ["--kube-context", context, "--namespace", this.namespace];
    try {
      const { stdout, stderr } = await run(this.#helm, [command, ...flags, ...args], { env, cwd: root });
      return { code: 0, output: `${stdout}${stderr}` };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, output: `${stdout}${stderr}` };
    }
  }

  /** Runs helm. @throws Error with what it printed, when it fails */
  async helm(command: string, ...args: readonly string[]): Promise<string> {
    const { code, output } = await this.try(command, ...args);
    if (code !== 0) throw new Error(`helm ${command} ended with exit code ${code}:\n${output}\n${this.pods()}`);
    return output;
  }

  /** Installs or upgrades the release `digits`, and waits until it is ready. */
  upgrade(...args: readonly string[]): Promise<string> {
    return this.helm("upgrade", "digits", join(root, chart), "--install", "--wait", "--timeout", "3m", ...args);
  }

  kubectl(...args: readonly string[]): string {
    return kubectl("--namespace", this.namespace, ...args);
  }

  /** The pods as people look at them, and what happened to them. */
  pods(): string {
    return `${this.kubectl("get", "pods", "-o", "wide")}\n${this.kubectl("get", "events", "--sort-by=.lastTimestamp")}`;
  }

  /** The images that its pods run, each once. */
  images(): string[] {
    const path = "{.items[*].spec.containers[0].image}";
    return [
      ...new Set(
        this.kubectl("get", "pods", "-l", "app.kubernetes.io/name=model-server", "-o", `jsonpath=${path}`).split(" "),
      ),
    ];
  }

  /** Where the release's REST answers on this machine. */
  url(): string {
    const path = '{.spec.ports[?(@.name=="http")].nodePort}';
    return `http://127.0.0.1:${this.kubectl("get", "service", "digits-model-server", "-o", `jsonpath=${path}`)}`;
  }

  /** What the model `digits`, which adds to its numbers, makes of 0. */
  async sum(): Promise<number> {
    const body = JSON.stringify({ inputs: [{ name: "x", datatype: "FP32", shape: [2], data: [0, 0] }] });
    const answer = await fetch(`${this.url()}/v2/models/digits/infer`, { method: "POST", body });
    const { outputs } = (await answer.json()) as { outputs: { data: number[] }[] };
    return outputs[0]?.data[0] ?? Number.NaN;
  }

  /** Takes the namespace and what is in it away; nobody waits for that. */
  remove(): void {
    kubectl("delete", "namespace", this.namespace, "--wait=false", "--ignore-not-found");
  }
}

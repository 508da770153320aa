import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { inject } from "vitest";
import { parse, stringify } from "yaml";
import { readStatements } from "../../shared/src/evidence/store.ts";
import { parseImageReference } from "../../shared/src/oci/reference.ts";
import { RegistryClient } from "../../shared/src/oci/registry.ts";
import { runAction, runnerFolders } from "../../shared/test/action-process.ts";
import { pushModelImage } from "../../shared/test/kubernetes/model-image.ts";

export const { addresses, environment: machine } = inject("lab");
export const chart = join(import.meta.dirname, "../../shared/test/kubernetes/chart");
export const kubeconfig = readFileSync(addresses.kubernetes.kubeconfig, "utf8");
const { environment: folders } = runnerFolders();
const repository = `${addresses.registry}/test/helm-deploy-${process.pid}`;

/** Images of the test server that behave as their names say; filled by `pushImages`. */
export const images = { good: "", other: "", third: "", crash: "", unready: "" };

export async function pushImages(): Promise<void> {
  images.good = await pushModelImage(repository, "good");
  images.other = await pushModelImage(repository, "good", "other");
  images.third = await pushModelImage(repository, "good", "third");
  images.crash = await pushModelImage(repository, "crash");
  images.unready = await pushModelImage(repository, "unready");
}

const namespaces: string[] = [];
let made = 0;

/** A namespace's name that nobody has used. */
export function fresh(): string {
  made += 1;
  const name = `helm-deploy-${process.pid}-${made}`;
  namespaces.push(name);
  return name;
}

/** Takes the namespaces away; their pods need not be waited for. */
export function cleanUp(): void {
  kubectl("delete", "namespace", ...namespaces.splice(0), "--ignore-not-found", "--wait=false");
}

const workflow = { GITHUB_RUN_ID: "7", GITHUB_RUN_ATTEMPT: "1", GITHUB_SHA: "0123456789abcdef", GITHUB_ACTOR: "ann" };

export function environmentOf(more: object = {}) {
  return { ...machine, ...folders, ...workflow, ...more };
}

export function inputsOf(namespace: string, more: Record<string, string> = {}) {
  const { context } = addresses.kubernetes;
  const where = { chart, release: "double", namespace, environment: "staging", kubeconfig, context };
  return { ...where, timeout: "90s", ...more };
}

export function deploy(namespace: string, image: string, more: Record<string, string> = {}, variables: object = {}) {
  return runAction("helm-deploy", inputsOf(namespace, { image, ...more }), environmentOf(variables));
}

export function tool(command: string, ...args: string[]): string {
  const env = { ...process.env, ...machine };
  return execFileSync(command, args, { encoding: "utf8", env, stdio: ["ignore", "pipe", "pipe"] });
}

export function kubectl(...args: string[]): string {
  return tool("kubectl", "--context", addresses.kubernetes.context, ...args);
}

export function helm(...args: string[]): string {
  return tool("helm", "--kube-context", addresses.kubernetes.context, ...args);
}

export function helmHistory(namespace: string): { revision: number; status: string; description: string }[] {
  return JSON.parse(helm("history", "double", "-n", namespace, "-o", "json"));
}

export function servedImages(namespace: string): string[] {
  return kubectl("get", "pods", "-n", namespace, "-o", "jsonpath={.items[*].spec.containers[*].image}").split(" ");
}

export async function newestEvidence(image: string) {
  const reference = parseImageReference(image);
  const statements = await readStatements(new RegistryClient(reference), reference.digest);
  return statements.at(-1)?.predicate;
}

/** A kubeconfig of a user who may do in one namespace what the action's README asks for. */
export function limitedKubeconfig(namespace: string): string {
  const everything = ["get", "list", "watch", "create", "update", "patch", "delete"];
  const role = {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name: "deployer", namespace },
    rules: [
      { apiGroups: ["", "apps"], resources: ["deployments", "services", "secrets"], verbs: everything },
      {
        apiGroups: ["", "apps"],
        resources: ["pods", "pods/log", "events", "replicasets"],
        verbs: ["get", "list", "watch"],
      },
    ],
  };
  execFileSync("kubectl", ["--context", addresses.kubernetes.context, "apply", "-f", "-"], {
    input: JSON.stringify(role),
    env: { ...process.env, ...machine },
  });
  const account = `${namespace}:deployer`;
  kubectl("create", "serviceaccount", "deployer", "-n", namespace);
  kubectl("create", "rolebinding", "deployer", "-n", namespace, "--role=deployer", `--serviceaccount=${account}`);
  const config = parse(kubeconfig);
  for (const one of config.users) one.user = { token: kubectl("create", "token", "deployer", "-n", namespace).trim() };
  return stringify(config);
}

/** What a run that is killed with all its children leaves: a revision that Helm takes for one in progress. */
export async function killedUpgrade(namespace: string, run: string): Promise<void> {
  const { digest } = parseImageReference(images.unready);
  const values = `image.repository=${repository},image.digest=${digest}`;
  const labels = `mlops-actions/run=${run},mlops-actions/timeout=90`;
  const args = [
    "--kube-context",
    addresses.kubernetes.context,
    "upgrade",
    "--install",
    "double",
    chart,
    "-n",
    namespace,
    "--wait",
    "--set-string",
    values,
    "--labels",
    labels,
  ];
  const child = spawn("helm", args, { env: { ...process.env, ...machine }, stdio: "ignore" });
  const pending = () => {
    try {
      return helmHistory(namespace).at(-1)?.status.startsWith("pending-");
    } catch {
      return false;
    }
  };
  while (!pending()) await wait(200);
  await wait(1_000);
  child.kill("SIGKILL");
}

import { setTimeout } from "node:timers/promises";
import { LabError } from "../../lab/src/progress/error.ts";
import { runChild } from "../../lab/src/progress/run-child.ts";

/** The example's release; its chart labels pods with it. */
const release = "digits";

/** Image 0 of scikit-learn's digits: 8 × 8 shades from 0 to 16. It shows a zero. */
export const exampleDigit = {
  label: 0,
  shades: [
    [0, 0, 5, 13, 9, 1, 0, 0],
    [0, 0, 13, 15, 10, 15, 5, 0],
    [0, 3, 15, 2, 0, 11, 8, 0],
    [0, 4, 12, 0, 0, 8, 8, 0],
    [0, 5, 8, 0, 0, 9, 8, 0],
    [0, 4, 11, 0, 1, 12, 7, 0],
    [0, 2, 14, 5, 10, 12, 0, 0],
    [0, 0, 6, 13, 10, 0, 0, 0],
  ],
} as const;

const inferRequest = {
  inputs: [{ name: "images", shape: [1, 64], datatype: "FP32", data: exampleDigit.shades.flat() }],
};

/** A line for a person's shell that asks an endpoint which digit it sees. */
export function curlLine(endpoint: string): string {
  return `curl -s ${endpoint}/v2/models/digits/infer -d '${JSON.stringify(inferRequest)}'`;
}

/** What a load balancer would be in a cloud: a NodePort Service beside the release, which the lab publishes on loopback. */
export function endpointService(namespace: string) {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: `${release}-endpoint`, namespace },
    spec: {
      type: "NodePort",
      selector: { "app.kubernetes.io/instance": release },
      ports: [{ name: "http", port: 80, targetPort: "http" }],
    },
  };
}

/**
 * Publishes the release of a namespace on 127.0.0.1, and gives its address. Undefined where the namespace is not there.
 *
 * @throws LabError `ENDPOINT_NOT_PUBLISHED`
 */
export async function publishEndpoint(
  namespace: string,
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const kubectl = (args: readonly string[], input?: string) =>
    runChild("kubectl", [...args, "--request-timeout=20s"], {
      environment: { ...process.env, ...environment },
      signal,
      ...(input === undefined ? {} : { input }),
    });
  const found = await kubectl(["get", "namespace", namespace, "--ignore-not-found", "--output=name"]);
  if (found.code === 0 && found.stdout.trim() === "") return undefined;
  const applied = await kubectl(["apply", "--filename=-", "--output=json"], JSON.stringify(endpointService(namespace)));
  if (applied.code !== 0)
    throw new LabError("ENDPOINT_NOT_PUBLISHED", `no Service could be made in ${namespace}: ${applied.stderr.trim()}`, {
      remedy: "npm run lab -- status shows which part of the lab is not well; npm run lab -- up mends it",
    });
  const service = JSON.parse(applied.stdout) as { spec: { ports: [{ nodePort: number }] } };
  return `http://127.0.0.1:${service.spec.ports[0].nodePort}`;
}

/** Which digit the endpoint sees in the example, or what is wrong with its answer. A new Service takes a moment. */
export async function askForDigit(endpoint: string, signal: AbortSignal): Promise<number | string> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await askOnce(endpoint, signal);
    if (typeof answer === "number" || attempt === 10) return answer;
    await setTimeout(500, undefined, { signal });
  }
}

async function askOnce(endpoint: string, signal: AbortSignal): Promise<number | string> {
  try {
    const response = await fetch(`${endpoint}/v2/models/digits/infer`, {
      method: "POST",
      body: JSON.stringify(inferRequest),
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    });
    const answer = (await response.json()) as { outputs?: { name: string; data: number[] }[]; error?: string };
    const label = answer.outputs?.find(({ name }) => name === "label")?.data[0];
    return label ?? answer.error ?? `HTTP ${response.status} without a label`;
  } catch (error) {
    return (error as Error).message;
  }
}

import { LabError } from "../progress/error.ts";
import { findProgram } from "../progress/run-child.ts";
import type { Step } from "../progress/step.ts";
import { MIRRORED } from "../services/registry.ts";
import type { LabHome } from "../state/home.ts";
import type { LabPorts } from "../state/record.ts";
import { FEATURE_GATES } from "./feature-gates.ts";

/** kind, and Docker under it, with a Docker configuration of the lab's own. */
export interface Kind {
  /** The name of the cluster, of its nodes' prefix, and, after `kind-`, of its context. */
  readonly cluster: string;
  run(command: "docker" | "kind", args: readonly string[], input?: string): Promise<string>;
}

/**
 * The way to kind.
 * @throws LabError KIND_MISSING when Docker or kind is not on this machine.
 */
export function kindOf(home: LabHome, step: Step, environment: Readonly<Record<string, string>>): Kind {
  const missing = ["docker", "kind"].filter((name) => !findProgram(name));
  if (missing.length > 0) {
    throw new LabError("KIND_MISSING", `--cluster kind needs ${missing.join(" and ")}, which this machine lacks`, {
      remedy: `install ${missing.join(" and ")}, or leave --cluster out for the embedded cluster`,
    });
  }
  return {
    cluster: home.cgroup,
    run: (command, args, input) =>
      step.run(command, args, {
        environment: { ...process.env, ...environment },
        timeoutSeconds: 600,
        remedy: "see the message above; Docker must run, and this user must be allowed to use it",
        ...(input !== undefined && { input }),
      }),
  };
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

async function nodes(kind: Kind): Promise<string[]> {
  const all = lines(await kind.run("kind", ["get", "clusters"]));
  return all.includes(kind.cluster) ? lines(await kind.run("kind", ["get", "nodes", "--name", kind.cluster])) : [];
}

/** kind's own configuration: node ports on the machine's loopback, and a folder that names registries' mirrors. */
function configuration(ports: LabPorts): object {
  const [first, last] = ports.nodePorts;
  const published = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  return {
    kind: "Cluster",
    apiVersion: "kind.x-k8s.io/v1alpha4",
    featureGates: FEATURE_GATES,
    containerdConfigPatches: [
      '[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "/etc/containerd/certs.d"',
    ],
    nodes: [
      {
        role: "control-plane",
        kubeadmConfigPatches: [
          `kind: ClusterConfiguration\napiServer:\n  extraArgs:\n    service-node-port-range: "${first}-${last}"`,
        ],
        extraPortMappings: published.map((port) => ({
          containerPort: port,
          hostPort: port,
          listenAddress: "127.0.0.1",
        })),
      },
    ],
  };
}

/**
 * Makes the cluster, or starts it again, and writes the lab's kubeconfig.
 * @returns the machine's address in the network of the nodes, where they reach the lab's registry.
 */
export async function startKind(kind: Kind, ports: LabPorts, kubeconfig: string): Promise<string> {
  const existing = await nodes(kind);
  if (existing.length > 0) {
    await kind.run("docker", ["start", ...existing]);
    await kind.run("kind", ["export", "kubeconfig", "--name", kind.cluster, "--kubeconfig", kubeconfig]);
  } else {
    const create = ["create", "cluster", "--name", kind.cluster, "--kubeconfig", kubeconfig, "--config", "-"];
    await kind.run("kind", [...create, "--wait", "180s"], JSON.stringify(configuration(ports)));
  }
  const network = await kind.run("docker", ["network", "inspect", "kind", "--format", "{{json .IPAM.Config}}"]);
  const gateways = (JSON.parse(network) as { Gateway?: string }[]).map(({ Gateway }) => Gateway ?? "");
  const gateway = gateways.find((address) => /^\d+(\.\d+){3}$/.test(address));
  if (gateway) return gateway;
  throw new LabError("KIND_NETWORK", 'Docker\'s network "kind" has no IPv4 gateway', {
    remedy: "remove the network (docker network rm kind) and run the command again",
  });
}

/** Has the nodes' containerd take images of these registries from the lab's. */
export async function connectRegistry(kind: Kind, registryPort: number, gateway: string): Promise<void> {
  const server = `http://${gateway}:${registryPort}`;
  const hosts = `server = "${server}"\n\n[host."${server}"]\n  capabilities = ["pull", "resolve"]\n`;
  for (const node of await nodes(kind)) {
    for (const name of [`127.0.0.1:${registryPort}`, ...MIRRORED]) {
      const folder = `/etc/containerd/certs.d/${name}`;
      await kind.run("docker", ["exec", node, "mkdir", "-p", folder]);
      await kind.run("docker", ["exec", "-i", node, "cp", "/dev/stdin", `${folder}/hosts.toml`], hosts);
    }
  }
}

/** Stops the nodes; their data stays unless the lab is purged. */
export async function stopKind(kind: Kind, purge: boolean): Promise<void> {
  const existing = await nodes(kind);
  if (existing.length === 0) return;
  if (purge) await kind.run("kind", ["delete", "cluster", "--name", kind.cluster]);
  else await kind.run("docker", ["stop", ...existing]);
}

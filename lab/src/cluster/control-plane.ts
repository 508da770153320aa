import { expectInside } from "../doors/dial.ts";
import { type Ending, type Part, programPart } from "../parts/part.ts";
import { inside, type LabHome } from "../state/home.ts";
import type { LabPorts } from "../state/record.ts";
import type { Toolchain } from "../toolchain/toolchain.ts";
import { apiClient } from "./api-client.ts";
import { FEATURE_GATES } from "./feature-gates.ts";
import { kubeconfig } from "./kubeconfig.ts";
import { INNER_PORTS, NETWORK } from "./network.ts";
import { authority } from "./pki.ts";

/** What holds nothing that its next start would miss need not end in order. */
export const AT_ONCE: Ending = { signal: "SIGKILL", withinMs: 1000 };

const pki = (name: string) => inside("pki", name);

/** The cluster's store. */
export function etcdPart(home: LabHome, toolchain: Toolchain): Part {
  const client = `http://127.0.0.1:${INNER_PORTS.etcd}`;
  const peers = `http://127.0.0.1:${INNER_PORTS.etcdPeers}`;
  const addresses = [
    ...["--listen-client-urls", client, "--advertise-client-urls", client],
    ...["--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", `default=${peers}`],
  ];
  return programPart(home, {
    name: "etcd",
    needs: ["doors"],
    address: `${client} (inside)`,
    // Without fsync a killed process loses nothing, since the kernel has the pages; only a power cut could.
    command: [
      toolchain.path("etcd"),
      "--data-dir",
      inside("etcd"),
      "--logger=zap",
      "--log-level=warn",
      "--unsafe-no-fsync",
      ...addresses,
    ],
    ready: () => expectInside(home, { port: INNER_PORTS.etcd, path: "/health" }),
  });
}

/** Kubernetes' API server. It listens on every address of the lab's network, which nothing outside the lab can reach. */
export function apiServerPart(home: LabHome, toolchain: Toolchain, ports: LabPorts): Part {
  const [firstNodePort, lastNodePort] = ports.nodePorts;
  const flags = {
    "etcd-servers": `http://127.0.0.1:${INNER_PORTS.etcd}`,
    "bind-address": "0.0.0.0",
    "secure-port": ports.kubernetes,
    "advertise-address": NETWORK.node,
    "service-cluster-ip-range": NETWORK.services,
    "service-node-port-range": `${firstNodePort}-${lastNodePort}`,
    "authorization-mode": "Node,RBAC",
    "enable-admission-plugins": "NodeRestriction",
    "anonymous-auth": false,
    "allow-privileged": true,
    profiling: false,
    "client-ca-file": pki("ca.crt"),
    "tls-cert-file": pki("apiserver.crt"),
    "tls-private-key-file": pki("apiserver.key"),
    "service-account-issuer": `https://kubernetes.default.svc.${NETWORK.domain}`,
    "service-account-key-file": pki("service-accounts.crt"),
    "service-account-signing-key-file": pki("service-accounts.key"),
    "kubelet-certificate-authority": pki("ca.crt"),
    "kubelet-client-certificate": pki("apiserver-kubelet-client.crt"),
    "kubelet-client-key": pki("apiserver-kubelet-client.key"),
    "kubelet-preferred-address-types": "InternalIP",
    "feature-gates": Object.entries(FEATURE_GATES)
      .map(([name, on]) => `${name}=${on}`)
      .join(","),
  };
  return programPart(home, {
    name: "kube-apiserver",
    needs: ["etcd"],
    address: `https://127.0.0.1:${ports.kubernetes}`,
    command: [toolchain.path("kube-apiserver"), ...asFlags(flags)],
    ending: AT_ONCE,
    patienceSeconds: 120,
    ready: async () => {
      const { status, body } = await apiClient(home, ports.kubernetes).get("/readyz");
      if (status !== 200) throw new Error(`/readyz answered ${status}: ${body.slice(0, 500)}`);
    },
  });
}

/** The controllers that make the objects in the API true. */
export function controllerManagerPart(home: LabHome, toolchain: Toolchain, port: number): Part {
  const config = "controller-manager.kubeconfig";
  const flags = {
    kubeconfig: inside("config", config),
    "root-ca-file": pki("ca.crt"),
    "service-account-private-key-file": pki("service-accounts.key"),
    "use-service-account-credentials": true,
    "leader-elect": false,
    profiling: false,
    "bind-address": "127.0.0.1",
    "tls-cert-file": pki("controller-manager.crt"),
    "tls-private-key-file": pki("controller-manager.key"),
  };
  return programPart(home, {
    name: "kube-controller-manager",
    needs: ["kube-apiserver"],
    address: `https://127.0.0.1:${INNER_PORTS.controllerManager} (inside)`,
    command: [toolchain.path("kube-controller-manager"), ...asFlags(flags)],
    files: () => ({ [config]: kubeconfig(home, "controller-manager", port) }),
    ending: AT_ONCE,
    ready: () => healthz(home, INNER_PORTS.controllerManager),
  });
}

/** The scheduler, which gives pods to the only node. */
export function schedulerPart(home: LabHome, toolchain: Toolchain, port: number): Part {
  const config = "scheduler.kubeconfig";
  const flags = {
    kubeconfig: inside("config", config),
    "leader-elect": false,
    profiling: false,
    "bind-address": "127.0.0.1",
    "tls-cert-file": pki("scheduler.crt"),
    "tls-private-key-file": pki("scheduler.key"),
  };
  return programPart(home, {
    name: "kube-scheduler",
    needs: ["kube-apiserver"],
    address: `https://127.0.0.1:${INNER_PORTS.scheduler} (inside)`,
    command: [toolchain.path("kube-scheduler"), ...asFlags(flags)],
    files: () => ({ [config]: kubeconfig(home, "scheduler", port) }),
    ending: AT_ONCE,
    ready: () => healthz(home, INNER_PORTS.scheduler),
  });
}

function healthz(home: LabHome, port: number): Promise<void> {
  return expectInside(home, { port, path: "/healthz", keys: { ca: authority(home) } });
}

/** Command-line flags in the form that Kubernetes' components take. */
export function asFlags(flags: Readonly<Record<string, string | number | boolean>>): string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
}

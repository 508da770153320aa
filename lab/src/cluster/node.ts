import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expectInside } from "../doors/dial.ts";
import { configFile, type Part, programPart } from "../parts/part.ts";
import { inside, type LabHome } from "../state/home.ts";
import type { Toolchain } from "../toolchain/toolchain.ts";
import { apiClient } from "./api-client.ts";
import { makeCgroup } from "./cgroups.ts";
import { containerdSocket } from "./containerd.ts";
import { AT_ONCE, asFlags } from "./control-plane.ts";
import { FEATURE_GATES } from "./feature-gates.ts";
import { kubeconfig } from "./kubeconfig.ts";
import { INNER_PORTS, NETWORK, NODE } from "./network.ts";

function kubeletConfiguration(home: LabHome): object {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: NETWORK.node,
    port: INNER_PORTS.kubelet,
    healthzBindAddress: "127.0.0.1",
    healthzPort: INNER_PORTS.kubeletHealth,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: inside("pki", "ca.crt") },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: inside("pki", "kubelet.crt"),
    tlsPrivateKeyFile: inside("pki", "kubelet.key"),
    containerRuntimeEndpoint: `unix://${containerdSocket(home)}`,
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${home.cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    featureGates: FEATURE_GATES,
    clusterDomain: NETWORK.domain,
    clusterDNS: [NETWORK.node],
    resolvConf: configFile("resolv.conf"),
    podLogsDir: inside("pod-logs"),
    volumePluginDir: inside("kubelet", "volume-plugins"),
    // Figures in percent would evict every pod from a disk that is fairly full.
    evictionHard: {
      "memory.available": "100Mi",
      "nodefs.available": "1Gi",
      "imagefs.available": "1Gi",
      "nodefs.inodesFree": "1%",
    },
    imageGCHighThresholdPercent: 100,
    serializeImagePulls: false,
    registryPullQPS: 0,
    eventRecordQPS: 0,
    // One node and nobody who waits for its lease: report seldom.
    nodeStatusUpdateFrequency: "10s",
    nodeLeaseDurationSeconds: 60,
  };
}

/** The agent that runs pods on this machine. */
export function kubeletPart(home: LabHome, toolchain: Toolchain, port: number): Part {
  const flags = {
    config: configFile("kubelet.json"),
    kubeconfig: configFile("kubelet.kubeconfig"),
    "hostname-override": NODE,
    "node-ip": NETWORK.node,
    "root-dir": inside("kubelet"),
    "cert-dir": inside("kubelet", "pki"),
    "housekeeping-interval": "20s",
  };
  return programPart(home, {
    name: "kubelet",
    needs: ["kube-apiserver", "containerd"],
    address: `https://${NETWORK.node}:${INNER_PORTS.kubelet} (inside)`,
    command: [toolchain.path("kubelet"), ...asFlags(flags)],
    files: () => ({
      "kubelet.json": JSON.stringify(kubeletConfiguration(home), null, 2),
      "kubelet.kubeconfig": kubeconfig(home, "kubelet", port),
      "resolv.conf": `nameserver ${NETWORK.node}\n`,
    }),
    prepare: async () => {
      makeCgroup(home);
      mkdirSync(join(home.state, "pod-logs"), { recursive: true });
    },
    patienceSeconds: 90,
    ready: async () => {
      await expectInside(home, { port: INNER_PORTS.kubeletHealth, path: "/healthz" });
      await nodeReady(home, port);
    },
  });
}

interface NodeObject {
  readonly status?: { readonly conditions?: readonly { type: string; status: string; message?: string }[] };
}

/** Throws until the node says that it is ready, with its reason. */
async function nodeReady(home: LabHome, port: number): Promise<void> {
  const { status, body } = await apiClient(home, port).get(`/api/v1/nodes/${NODE}`);
  if (status !== 200) throw new Error(`node ${NODE}: ${status} ${body.slice(0, 300)}`);
  const node = JSON.parse(body) as NodeObject;
  const ready = node.status?.conditions?.find((condition) => condition.type === "Ready");
  if (ready?.status !== "True") throw new Error(`node ${NODE} is not ready: ${ready?.message ?? "no condition yet"}`);
}

/** Makes the addresses of Services and the node ports work. */
export function proxyPart(home: LabHome, toolchain: Toolchain, port: number): Part {
  const configuration = {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    clientConnection: { kubeconfig: configFile("proxy.kubeconfig") },
    hostnameOverride: NODE,
    mode: "iptables",
    clusterCIDR: NETWORK.pods,
    bindAddress: NETWORK.node,
    healthzBindAddress: `127.0.0.1:${INNER_PORTS.proxyHealth}`,
    metricsBindAddress: `127.0.0.1:${INNER_PORTS.proxyMetrics}`,
    // These are settings of the whole machine, which are not the lab's to change.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
  };
  return programPart(home, {
    name: "kube-proxy",
    needs: ["kube-apiserver"],
    address: `http://127.0.0.1:${INNER_PORTS.proxyHealth} (inside)`,
    command: [toolchain.path("kube-proxy"), ...asFlags({ config: configFile("proxy.json") })],
    files: () => ({
      "proxy.json": JSON.stringify(configuration, null, 2),
      "proxy.kubeconfig": kubeconfig(home, "proxy", port),
    }),
    ending: AT_ONCE,
    ready: () => expectInside(home, { port: INNER_PORTS.proxyHealth, path: "/livez" }),
  });
}

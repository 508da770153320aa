import { NODE_ADDRESS } from "../namespaces/namespaces.ts";

/**
 * The addresses of the embedded cluster. They exist only inside a lab's own network, so they are the same in every lab
 * and clash with nothing.
 */
export const NETWORK = {
  node: NODE_ADDRESS,
  pods: "10.244.0.0/24",
  services: "10.96.0.0/16",
  /** The Service `kubernetes.default`: always the first address. */
  kubernetesService: "10.96.0.1",
  domain: "cluster.local",
} as const;

/** Ports inside the lab, where every lab may use the same. */
export const INNER_PORTS = {
  etcd: 2379,
  etcdPeers: 2380,
  controllerManager: 10_257,
  scheduler: 10_259,
  kubelet: 10_250,
  kubeletHealth: 10_248,
  proxyHealth: 10_256,
  proxyMetrics: 10_249,
  dnsReady: 8181,
} as const;

/** The name of the only node. */
export const NODE = "lab";

import { expectInside } from "../doors/dial.ts";
import { configFile, type Part, programPart } from "../parts/part.ts";
import type { LabHome } from "../state/home.ts";
import type { Toolchain } from "../toolchain/toolchain.ts";
import { apiClient } from "./api-client.ts";
import { AT_ONCE } from "./control-plane.ts";
import { kubeconfig } from "./kubeconfig.ts";
import { INNER_PORTS, NETWORK } from "./network.ts";

const CONFIG = "coredns.kubeconfig";

const COREFILE = `.:53 {
  bind ${NETWORK.node}
  errors
  ready 127.0.0.1:${INNER_PORTS.dnsReady}
  kubernetes ${NETWORK.domain} in-addr.arpa {
    kubeconfig ${configFile(CONFIG)}
    ttl 5
  }
  cache 5
}
`;

const ROLE = "lab:coredns";
const RBAC = "/apis/rbac.authorization.k8s.io/v1";

/** What CoreDNS reads to answer for Services, as an object of RBAC. */
const role = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRole",
  metadata: { name: ROLE },
  rules: [
    { apiGroups: [""], resources: ["endpoints", "services", "pods", "namespaces"], verbs: ["list", "watch"] },
    { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
  ],
};

const binding = {
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRoleBinding",
  metadata: { name: ROLE },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: ROLE },
  subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: ROLE }],
};

/** The cluster's DNS, on the node's address: pods resolve Services by it. Names outside the cluster do not exist there. */
export function dnsPart(home: LabHome, toolchain: Toolchain, port: number): Part {
  return programPart(home, {
    name: "coredns",
    needs: ["kube-apiserver"],
    address: `${NETWORK.node}:53 (inside)`,
    command: [toolchain.path("coredns"), "-conf", configFile("Corefile")],
    files: () => ({ Corefile: COREFILE, [CONFIG]: kubeconfig(home, "coredns", port) }),
    prepare: async () => {
      const api = apiClient(home, port);
      await api.apply(`${RBAC}/clusterroles/${ROLE}`, role);
      await api.apply(`${RBAC}/clusterrolebindings/${ROLE}`, binding);
    },
    ending: AT_ONCE,
    ready: () => expectInside(home, { port: INNER_PORTS.dnsReady, path: "/ready" }),
  });
}

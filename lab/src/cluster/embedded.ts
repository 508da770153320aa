import type { Part } from "../parts/part.ts";
import type { LabHome } from "../state/home.ts";
import type { LabPorts } from "../state/record.ts";
import type { Toolchain } from "../toolchain/toolchain.ts";
import { containerdPart } from "./containerd.ts";
import { apiServerPart, controllerManagerPart, etcdPart, schedulerPart } from "./control-plane.ts";
import { dnsPart } from "./dns.ts";
import { kubeletPart, proxyPart } from "./node.ts";

/** The tools that an embedded cluster is made of. */
export const EMBEDDED_TOOLS = ["kubernetes", "coredns", "etcd", "containerd", "runc", "cni-plugins"] as const;

/** The parts of a Kubernetes cluster of one node, made of Kubernetes' own programs. */
export function embeddedParts(home: LabHome, toolchain: Toolchain, ports: LabPorts): Part[] {
  return [
    etcdPart(home, toolchain),
    containerdPart(home, toolchain, `127.0.0.1:${ports.registry}`),
    apiServerPart(home, toolchain, ports),
    kubeletPart(home, toolchain, ports.kubernetes),
    proxyPart(home, toolchain, ports.kubernetes),
    schedulerPart(home, toolchain, ports.kubernetes),
    controllerManagerPart(home, toolchain, ports.kubernetes),
    dnsPart(home, toolchain, ports.kubernetes),
  ];
}

import { embeddedParts } from "../cluster/embedded.ts";
import { type Door, doorsPart } from "../doors/doors.ts";
import { buildkitPart } from "../services/buildkit.ts";
import { mlflowPart } from "../services/mlflow.ts";
import { registryPart } from "../services/registry.ts";
import type { LabHome } from "../state/home.ts";
import type { LabRecord } from "../state/record.ts";
import type { Toolchain } from "../toolchain/toolchain.ts";
import type { Part } from "./part.ts";

/** The doors of a lab on the machine's loopback, and what a cluster outside of the lab needs beside them. */
function doorsOf(record: LabRecord, extra: readonly Door[]): Door[] {
  const { registry, mlflow, kubernetes, nodePorts } = record.ports;
  const ports = [registry, mlflow];
  if (record.cluster.kind === "embedded") {
    ports.push(kubernetes);
    for (let port = nodePorts[0]; port <= nodePorts[1]; port += 1) ports.push(port);
  }
  return [...ports.map((port) => ({ host: "127.0.0.1", port })), ...extra];
}

/** All parts of a lab, each after the parts that it needs. */
export function allParts(
  home: LabHome,
  record: LabRecord,
  toolchain: Toolchain,
  extraDoors: readonly Door[] = [],
): Part[] {
  const { registry, mlflow } = record.ports;
  return [
    doorsPart(home, doorsOf(record, extraDoors)),
    mlflowPart(home, toolchain, mlflow),
    registryPart(home, toolchain, registry),
    buildkitPart(home, toolchain, `127.0.0.1:${registry}`),
    ...(record.cluster.kind === "embedded" ? embeddedParts(home, toolchain, record.ports) : []),
  ];
}

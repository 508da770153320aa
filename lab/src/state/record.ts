import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "../progress/error.ts";
import { writeAtomically } from "./atomic-file.ts";
import type { LabHome } from "./home.ts";

/** Which Kubernetes a lab uses: one of its own parts, one in Docker, or one that is there already. */
export type ClusterKind = "embedded" | "kind" | "current";

/** The cluster of a lab. */
export interface ClusterChoice {
  readonly kind: ClusterKind;
  /** For `current`: the context of the user's kubeconfig; absent until the first `up` has found the current one. */
  readonly context?: string;
}

/** The ports of a lab on 127.0.0.1, on the machine and inside the lab alike. */
export interface LabPorts {
  readonly registry: number;
  readonly mlflow: number;
  readonly kubernetes: number;
  /** The first and last port that the cluster gives to Services of type NodePort. */
  readonly nodePorts: readonly [number, number];
}

/** What a lab keeps from its first `up` until it is purged. */
export interface LabRecord {
  readonly version: 1;
  readonly cluster: ClusterChoice;
  readonly ports: LabPorts;
}

const file = (home: LabHome) => join(home.state, "lab.json");

/**
 * What the lab's first `up` wrote, or undefined before it.
 * @throws LabError LAB_STATE_UNREADABLE
 */
export function readRecord(home: LabHome): LabRecord | undefined {
  if (!existsSync(file(home))) return undefined;
  const remedy = `remove the lab's data by: npm run lab -- down --purge --name ${home.name}`;
  try {
    const record = JSON.parse(readFileSync(file(home), "utf8")) as LabRecord;
    if (record.version === 1) return record;
  } catch (cause) {
    throw new LabError("LAB_STATE_UNREADABLE", `${file(home)} is no JSON`, { remedy, cause });
  }
  throw new LabError("LAB_STATE_UNREADABLE", `${file(home)} was written by another version of the lab`, { remedy });
}

/**
 * The record of a lab that has been up.
 * @throws LabError LAB_UNKNOWN
 */
export function requireRecord(home: LabHome): LabRecord {
  const record = readRecord(home);
  if (record) return record;
  throw new LabError("LAB_UNKNOWN", `there is no lab ${home.name} in this clone`, {
    remedy: `make it: npm run lab -- up --name ${home.name}`,
  });
}

/** Writes the record; a reader sees the old one or the new one, never a part of it. */
export function writeRecord(home: LabHome, record: LabRecord): void {
  writeAtomically(file(home), `${JSON.stringify(record, null, 2)}\n`, 0o644);
}

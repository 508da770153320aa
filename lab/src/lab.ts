import { rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ensureAdvisories } from "./advisories/advisories.ts";
import { removeCgroups } from "./cluster/cgroups.ts";
import { type PreparedCluster, prepareCluster, stopCluster } from "./cluster/cluster.ts";
import { choosePorts } from "./doors/ports.ts";
import { type LabAddresses, labAddresses, labEnvironment } from "./environment.ts";
import { type BaseImage, ensureBaseImages } from "./images/base-images.ts";
import { closeNamespaces, openNamespaces } from "./namespaces/namespaces.ts";
import { allParts } from "./parts/all-parts.ts";
import { type BroughtUp, bringUp } from "./parts/bring-up.ts";
import { takeDown } from "./parts/take-down.ts";
import { requireRoot } from "./privileges.ts";
import { LabError } from "./progress/error.ts";
import type { Progress } from "./progress/progress.ts";
import { ensureBuilder } from "./services/builder.ts";
import { type LabHome, labHome, SOCKETS } from "./state/home.ts";
import { withLock } from "./state/lock.ts";
import { handToCaller } from "./state/ownership.ts";
import {
  type ClusterChoice,
  type ClusterKind,
  type LabRecord,
  readRecord,
  requireRecord,
  writeRecord,
} from "./state/record.ts";
import { ensureToolchain, type Toolchain } from "./toolchain/toolchain.ts";
import { NAMES_ONLY, toolsFor } from "./tools.ts";

/** Which lab to open. */
export interface LabOptions {
  /** The lab's name in this clone; `default` when left out. */
  readonly name?: string;
  /** The cluster of a new lab (`embedded` when left out); a lab keeps the one that it was made with. */
  readonly cluster?: ClusterKind;
  /** For `cluster: "current"`: the context of the user's kubeconfig; the current one when left out. */
  readonly context?: string;
}

/** A lab that is up. */
export interface Lab {
  readonly name: string;
  readonly addresses: LabAddresses;
  /** Variables for programs that use the lab, as a workflow runner's machine has them; PATH holds the tools first. */
  readonly environment: Readonly<Record<string, string>>;
  readonly toolchain: Toolchain;
  /** The images that Dockerfiles may name in `FROM`; a stand-in says that it is one. */
  readonly baseImages: readonly BaseImage[];
  /** Which parts this call started, and which were up and well. */
  readonly parts: BroughtUp;
}

/**
 * Brings a lab up, or makes a lab whole that is up in part. Whoever calls it for the same lab at the same time waits.
 * @throws LabError what kept it from being up; what did start stays, and the next call goes on from there.
 */
export async function openLab(options: LabOptions, progress: Progress): Promise<Lab> {
  const home = labHome(options.name ?? "default");
  requireRoot();
  const toolchain = await ensureToolchain(toolsFor(options.cluster ?? readRecord(home)?.cluster.kind), progress);
  return locked(home, "up", progress, async () => {
    const known = readRecord(home);
    if (known) checkSameCluster(home, known, options);
    const parts = known
      ? await makeWhole(home, known, toolchain, progress)
      : await makeNew(home, options, toolchain, progress);
    const record = requireRecord(home);
    const environment = {
      ...labEnvironment(home, record, toolchain),
      ...(await ensureAdvisories(toolchain, progress)).environment,
    };
    const addresses = labAddresses(home, record);
    const baseImages = await ensureBaseImages(addresses.registry, toolchain, progress);
    handToCaller(home);
    return { name: home.name, addresses, environment, toolchain, baseImages, parts };
  });
}

/** Chooses the ports of a new lab, once more if another process takes one of them before the lab does. */
async function makeNew(
  home: LabHome,
  options: LabOptions,
  toolchain: Toolchain,
  progress: Progress,
): Promise<BroughtUp> {
  const cluster: ClusterChoice = {
    kind: options.cluster ?? "embedded",
    ...(options.context !== undefined && { context: options.context }),
  };
  for (let attempt = 1; ; attempt += 1) {
    const wanted: LabRecord = { version: 1, cluster, ports: await choosePorts(home.id) };
    // Nothing is written down until the cluster is there: a lab keeps the kind of cluster that it was made with.
    const prepared = await prepareCluster(home, wanted, toolchain, progress);
    const record = { ...wanted, cluster: prepared.cluster };
    writeRecord(home, record);
    try {
      return await startParts(home, record, prepared, toolchain, progress);
    } catch (error) {
      if (attempt === 3 || !(error instanceof LabError) || error.code !== "PORT_TAKEN") throw error;
    }
  }
}

async function makeWhole(
  home: LabHome,
  record: LabRecord,
  toolchain: Toolchain,
  progress: Progress,
): Promise<BroughtUp> {
  return startParts(home, record, await prepareCluster(home, record, toolchain, progress), toolchain, progress);
}

async function startParts(
  home: LabHome,
  record: LabRecord,
  cluster: PreparedCluster,
  toolchain: Toolchain,
  progress: Progress,
): Promise<BroughtUp> {
  const namespaces = await openNamespaces(home, toolchain.path("pause"));
  const parts = await bringUp(home, namespaces, allParts(home, record, toolchain, cluster.doors), progress);
  await cluster.connect();
  await ensureBuilder(home, toolchain, progress);
  return parts;
}

function checkSameCluster(home: LabHome, record: LabRecord, options: LabOptions): void {
  const { kind, context } = record.cluster;
  const sameKind = options.cluster === undefined || options.cluster === kind;
  if (sameKind && (options.context === undefined || options.context === context)) return;
  const made = context ? `${kind} (context ${context})` : kind;
  throw new LabError("LAB_CLUSTER_DIFFERS", `the lab ${home.name} was made with the cluster ${made}`, {
    remedy: `use another name (--name), or make it anew: npm run lab -- down --purge --name ${home.name}`,
  });
}

/** What is to be brought down. */
export interface CloseOptions {
  readonly name?: string;
  /** Removes the lab's data too. */
  readonly purge?: boolean;
}

/**
 * Brings a lab down: no process, mount, network device, packet filter rule or cgroup of it stays. Its data stays for the
 * next `openLab`, unless it is purged. A lab that is not up is no error.
 * @throws LabError
 */
export async function closeLab(options: CloseOptions, progress: Progress): Promise<void> {
  const home = labHome(options.name ?? "default");
  requireRoot();
  await locked(home, "down", progress, async () => {
    const record = knownRecord(home, options.purge ?? false);
    if (record) {
      await takeDown(home, allParts(home, record, NAMES_ONLY));
      await stopCluster(home, record, options.purge ?? false, progress);
    }
    await closeNamespaces(home);
    await removeCgroups(home);
    rmSync(home.sockets, { recursive: true, force: true });
    try {
      rmdirSync(SOCKETS);
    } catch {
      // other labs are up, or none ever was
    }
    if (options.purge) rmSync(home.state, { recursive: true, force: true });
  });
}

/** The lab's record; one that cannot be read must not keep the lab from being purged. */
function knownRecord(home: LabHome, purge: boolean): LabRecord | undefined {
  try {
    return readRecord(home);
  } catch (error) {
    if (purge) return undefined;
    throw error;
  }
}

function locked<T>(home: LabHome, what: string, progress: Progress, work: () => Promise<T>): Promise<T> {
  const onWait = (holder: { pid: number; command: string; since: string }) =>
    progress.say(`lab ${home.name}: waiting for process ${holder.pid} (${holder.command} since ${holder.since})`);
  return withLock(home, { command: `lab ${what}`, signal: progress.signal, onWait }, work);
}

/** The folder that a lab's steps write their logs to. */
export function stepLogs(name = "default"): string {
  return join(labHome(name).logs, "steps");
}

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { enter, findNamespaces } from "../../src/namespaces/namespaces.ts";
import { processIds } from "../../src/namespaces/process-table.ts";
import type { LabHome } from "../../src/state/home.ts";

function lines(words: readonly string[]): string[] {
  const [command = "", ...args] = words;
  return execFileSync(command, args, { encoding: "utf8" }).split("\n");
}

/** The settings that kubelet and kube-proxy change on a machine that they have for themselves. */
const SETTINGS = [
  "vm/overcommit_memory",
  "vm/panic_on_oom",
  "kernel/panic",
  "kernel/panic_on_oops",
  "kernel/keys/root_maxkeys",
  "kernel/keys/root_maxbytes",
  "net/ipv4/ip_forward",
  "net/ipv4/conf/all/route_localnet",
  "net/netfilter/nf_conntrack_max",
];

/** The folders that the lab's programs write to by default. */
const FOLDERS = ["/var/lib/cni", "/var/lib/kubelet", "/var/log/containers", "/var/log/pods", "/run/containerd"];

/** What a lab could change on the machine for all to see. */
export function machineState(): object {
  const settings = SETTINGS.map((name) => {
    const file = join("/proc/sys", name);
    return [name, existsSync(file) ? readFileSync(file, "utf8").trim() : ""];
  });
  return { settings, folders: FOLDERS.filter(existsSync) };
}

/** The network devices and the packet filter rules of a Service `default/probe` that a lab has inside. */
export interface LabNetwork {
  readonly devices: readonly string[];
  readonly rules: readonly string[];
}

function networkBy(prefix: (words: string[]) => string[]): LabNetwork {
  const devices = lines(prefix(["ip", "-oneline", "link"])).flatMap((line) => line.split(": ")[1] ?? []);
  const rules = lines(prefix(["iptables-save"])).filter((line) => line.includes("default/probe"));
  return { devices: devices.filter((name) => name !== "lo"), rules };
}

/** What the lab's network holds now. */
export function networkInside(home: LabHome): LabNetwork {
  const namespaces = findNamespaces(home);
  if (!namespaces) return { devices: [], rules: [] };
  return networkBy((words) => enter(namespaces, "lab", words));
}

/**
 * What of a lab is on the machine: processes that name it, carry its mark or see its state folder mounted; its sockets,
 * cgroups and mounts; and of its network what the machine's own network has.
 */
export function tracesOf(home: LabHome, network: LabNetwork = { devices: [], rules: [] }): string[] {
  const processes = processIds().filter((pid) => belongs(pid, home));
  const cgroups = readdirSync("/sys/fs/cgroup").flatMap((name) => [
    join("/sys/fs/cgroup", name),
    join("/sys/fs/cgroup", name, home.cgroup),
  ]);
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const machine = networkBy((words) => words);
  return [
    ...processes.map((pid) => `process ${pid}`),
    ...cgroups.filter((path) => path.endsWith(home.cgroup) && existsSync(path)),
    ...mounts.filter((line) => line.includes(home.state)),
    ...network.devices.filter((name) => machine.devices.includes(name)),
    ...network.rules.filter((rule) => machine.rules.includes(rule)),
    ...(existsSync(home.sockets) ? [home.sockets] : []),
  ];
}

function belongs(pid: number, home: LabHome): boolean {
  try {
    const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, "utf8");
    if (read("cmdline").includes(home.id) || read("environ").includes(`${home.id}/`)) return true;
    // Every container of the lab has something of its state folder mounted.
    return read("mountinfo")
      .split("\n")
      .some((line) => line.split(" ")[3]?.startsWith(home.state));
  } catch {
    return false;
  }
}

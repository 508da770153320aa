import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { processIds } from "../../src/namespaces/process-table.ts";
import type { LabHome } from "../../src/state/home.ts";

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: "utf8" });
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

const FOLDERS = [
  "/var/lib/cni",
  "/var/lib/kubelet",
  "/var/log/containers",
  "/var/log/pods",
  "/run/containerd",
  "/run/netns",
];

/** What a lab could change on the machine for all to see. */
export function machineState(): object {
  return {
    devices: run("ip", "-oneline", "link")
      .split("\n")
      .map((line) => line.split(": ")[1]),
    rules: run("iptables-save")
      .split("\n")
      .filter((line) => /^[-:]/.test(line))
      .map((line) => line.replace(/ \[.*/, "")),
    mounts: readFileSync("/proc/self/mounts", "utf8").split("\n").sort(),
    settings: SETTINGS.map((name) => {
      const file = join("/proc/sys", name);
      return [name, existsSync(file) ? readFileSync(file, "utf8").trim() : ""];
    }),
    folders: FOLDERS.filter(existsSync),
  };
}

/** What of a lab is on the machine: processes that name it, or live in a namespace of its own; sockets; cgroups. */
export function tracesOf(home: LabHome): string[] {
  const processes = processIds().flatMap((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
      const ofLab = words.includes(home.id) || environment.includes(`${home.id}/`) || sees(pid, home.state);
      return ofLab ? [`process ${pid}: ${words}`] : [];
    } catch {
      return [];
    }
  });
  const cgroups = readdirSync("/sys/fs/cgroup", { recursive: true, encoding: "utf8" }).filter((path) =>
    path.includes(home.id),
  );
  return [
    ...processes,
    ...cgroups.map((path) => `cgroup ${path}`),
    ...(existsSync(home.sockets) ? [home.sockets] : []),
  ];
}

/** Whether a process has the lab's state mounted, as every process and container of the lab has. */
function sees(pid: number, state: string): boolean {
  return readFileSync(`/proc/${pid}/mountinfo`, "utf8")
    .split("\n")
    .some((line) => line.split(" ")[3]?.startsWith(state));
}

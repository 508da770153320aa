import { availableParallelism, totalmem } from "node:os";
import { expect, test } from "vitest";
import { cgroupLimits, parseBytes, parseCpuMax, type ReadText, readLimits } from "../src/runtime/cgroup.ts";

function files(contents: Readonly<Record<string, string>>): ReadText {
  return (path) => contents[path];
}

const MIB = 1024 * 1024;

/** A pod on a node with cgroup v2, in a cgroup namespace of its own. */
const v2Namespaced = {
  "/proc/self/cgroup": "0::/\n",
  "/proc/self/mountinfo": [
    "700 699 0:120 / /proc rw,nosuid - proc proc rw",
    "712 711 0:26 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw,nsdelegate",
  ].join("\n"),
  "/sys/fs/cgroup/cpu.max": "150000 100000\n",
  "/sys/fs/cgroup/memory.max": "536870912\n",
};

/** A service on a host with cgroup v2: each group has limits of its own, the least of them anywhere on the way. */
const v2Nested = {
  "/proc/self/cgroup": "0::/user.slice/app.slice/server.service\n",
  "/proc/self/mountinfo": "35 24 0:30 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw\n",
  "/sys/fs/cgroup/user.slice/cpu.max": "200000 100000\n",
  "/sys/fs/cgroup/user.slice/memory.max": "4294967296\n",
  "/sys/fs/cgroup/user.slice/app.slice/cpu.max": "125000 100000\n",
  "/sys/fs/cgroup/user.slice/app.slice/memory.max": "1073741824\n",
  "/sys/fs/cgroup/user.slice/app.slice/server.service/cpu.max": "max 100000\n",
  "/sys/fs/cgroup/user.slice/app.slice/server.service/memory.max": "2147483648\n",
};

/** A container on a node with cgroup v1: paths of the host in /proc/self/cgroup, its own group or its pod's at the mount. */
const v1Container = {
  "/proc/self/cgroup":
    "5:memory:/kubepods/pod7/c1\n4:cpu,cpuacct:/kubepods/pod7/c1\n1:name=systemd:/kubepods/pod7/c1\n",
  "/proc/self/mountinfo": [
    "1 0 0:50 /kubepods/pod7/c1 /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct",
    "2 0 0:51 /kubepods/pod7 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory",
    "3 0 0:52 /kubepods/pod7/c1 /sys/fs/cgroup/systemd ro - cgroup cgroup rw,name=systemd",
  ].join("\n"),
  "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "50000\n",
  "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
  "/sys/fs/cgroup/memory/memory.limit_in_bytes": "536870912\n",
  "/sys/fs/cgroup/memory/c1/memory.limit_in_bytes": "268435456\n",
};

/** A process on a host with cgroup v1 (and an empty v2 beside it): a group below the mount's root, no CPU quota. */
const v1Host = {
  "/proc/self/cgroup": "4:memory:/batch/job1\n1:cpu:/\n0::/\n",
  "/proc/self/mountinfo": [
    "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu",
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory",
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw",
  ].join("\n"),
  "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
  "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
  "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
  "/sys/fs/cgroup/memory/batch/memory.limit_in_bytes": "134217728\n",
  "/sys/fs/cgroup/memory/batch/job1/memory.limit_in_bytes": "9223372036854771712\n",
};

test.each([
  ["cgroup v2 in a namespace", v2Namespaced, { cpus: 1.5, memoryBytes: 512 * MIB }],
  ["cgroup v2 with limits above the process's group", v2Nested, { cpus: 1.25, memoryBytes: 1024 * MIB }],
  ["cgroup v1 in a container", v1Container, { cpus: 0.5, memoryBytes: 256 * MIB }],
  ["cgroup v1 on a host", v1Host, { memoryBytes: 128 * MIB }],
  ["a machine without cgroups", {}, {}],
])("reads the limits of %s", (_, contents, limits) => {
  expect(cgroupLimits(files(contents))).toEqual(limits);
});

test("what is not limited is as large as the machine", () => {
  expect(readLimits(files({}))).toEqual({ cpus: availableParallelism(), memoryBytes: totalmem() });
  const generous = { ...v2Namespaced, "/sys/fs/cgroup/cpu.max": "99900000 100000", "/sys/fs/cgroup/memory.max": "max" };
  expect(readLimits(files(generous))).toEqual({ cpus: availableParallelism(), memoryBytes: totalmem() });
});

test("reads this process's own limits", () => {
  const { cpus, memoryBytes } = readLimits();
  expect(cpus).toBeGreaterThan(0);
  expect(cpus).toBeLessThanOrEqual(availableParallelism());
  expect(memoryBytes).toBeGreaterThan(MIB);
  expect(memoryBytes).toBeLessThanOrEqual(totalmem());
});

test("what is no figure is no limit", () => {
  for (const text of ["", "max", "max 100000", "0 100000", "-1 100000", "100000 0", "a b"]) {
    expect(parseCpuMax(text), text).toBeUndefined();
  }
  for (const text of ["", "max", "-1", "0", "9223372036854771712"]) expect(parseBytes(text), text).toBeUndefined();
});

import { join } from "node:path";
import { SYSTEM_PATH } from "../namespaces/namespaces.ts";
import { expectListener } from "../parts/listener.ts";
import { configFile, type Part, programPart } from "../parts/part.ts";
import { inside, type LabHome } from "../state/home.ts";
import type { Toolchain } from "../toolchain/toolchain.ts";
import { MIRRORED } from "./registry.ts";

/** The address of the lab's builder, as buildx's remote driver takes it. */
export function builderAddress(home: LabHome): string {
  return `unix://${join(home.sockets, "buildkitd.sock")}`;
}

/** What buildkitd needs from the environment to reach upstream registries and package registries. */
const PASSED_ON = [
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
];

function configuration(home: LabHome, registry: string, group: number): string {
  const mirrors = MIRRORED.map((name) => `[registry."${name}"]\n  mirrors = ["${registry}"]\n`);
  return `root = "${inside("buildkit")}"
insecure-entitlements = []

[grpc]
  gid = ${group}

[worker.oci]
  enabled = true
  snapshotter = "overlayfs"
  networkMode = "host"
  defaultCgroupParent = "/${home.cgroup}"

[worker.containerd]
  enabled = false

[registry."${registry}"]
  http = true

${mirrors.join("\n")}`;
}

/**
 * BuildKit's daemon. It shares the machine's network, because a Dockerfile's RUN steps need package registries; its mounts
 * and processes are the lab's.
 */
export function buildkitPart(home: LabHome, toolchain: Toolchain, registry: string): Part {
  const environment: Record<string, string> = { PATH: `${toolchain.folder("runc")}:${SYSTEM_PATH}` };
  for (const name of PASSED_ON) {
    const value = process.env[name];
    if (value) environment[name] = value;
  }
  const address = builderAddress(home);
  const group = Number(process.env.SUDO_GID ?? 0);
  return programPart(home, {
    name: "buildkit",
    needs: ["doors"],
    address,
    command: [toolchain.path("buildkitd"), "--config", configFile("buildkitd.toml"), "--addr", address],
    environment,
    files: () => ({ "buildkitd.toml": configuration(home, registry, group) }),
    network: "machine",
    ready: () => expectListener(join(home.sockets, "buildkitd.sock")),
  });
}

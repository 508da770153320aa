import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SYSTEM_PATH } from "../namespaces/namespaces.ts";
import { expectListener } from "../parts/listener.ts";
import { configFile, ENDING, type Part, programPart } from "../parts/part.ts";
import { LabError } from "../progress/error.ts";
import { runChild } from "../progress/run-child.ts";
import { MIRRORED } from "../services/registry.ts";
import { inside, type LabHome } from "../state/home.ts";
import type { Toolchain } from "../toolchain/toolchain.ts";
import { NETWORK } from "./network.ts";

/** The image of the process that holds a pod's namespaces. It comes with the lab, from no registry. */
const SANDBOX_IMAGE = "lab.local/pause:1";

/** containerd's socket, the same inside and outside. */
export function containerdSocket(home: LabHome): string {
  return join(home.sockets, "containerd.sock");
}

function configuration(home: LabHome, toolchain: Toolchain): string {
  return `version = 3
root = "${inside("containerd")}"
state = "/run/containerd"
# What the lab does not use, and what reads or writes folders of the whole machine.
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri", "io.containerd.snapshotter.v1.erofs", "io.containerd.snapshotter.v1.blockfile"]

[grpc]
  address = "${containerdSocket(home)}"

[plugins."io.containerd.grpc.v1.cri"]
  stream_server_address = "127.0.0.1"
[plugins."io.containerd.cri.v1.images"]
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "${SANDBOX_IMAGE}"
  [plugins."io.containerd.cri.v1.images".registry]
    config_path = "${inside("config", "registries")}"
[plugins."io.containerd.cri.v1.runtime"]
  # A machine may lack the capability to lower a process's score for the out-of-memory killer.
  restrict_oom_score_adj = true
  # A profile would be loaded into the machine's kernel and stay there.
  disable_apparmor = true
  enable_cdi = false
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["${toolchain.folder("cni-plugins")}"]
    conf_dir = "${inside("config", "cni")}"
  [plugins."io.containerd.cri.v1.runtime".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
        BinaryName = "${toolchain.path("runc")}"
`;
}

/**
 * The pods' network. Each pod hangs on a pair of devices of its own and everything is routed, so that traffic between pods
 * passes the node's packet filter without the kernel module that a bridge would need for it.
 */
const CNI = {
  cniVersion: "0.4.0",
  name: "lab",
  plugins: [
    {
      type: "ptp",
      ipMasq: false,
      ipam: {
        type: "host-local",
        dataDir: "/run/cni-addresses",
        ranges: [[{ subnet: NETWORK.pods }]],
        routes: [{ dst: "0.0.0.0/0" }],
      },
    },
    { type: "portmap", capabilities: { portMappings: true } },
  ],
};

/** Where images of a registry come from: the lab's registry, and nowhere else, since the lab's network ends there. */
function hosts(registry: string): string {
  return `server = "http://${registry}"\n\n[host."http://${registry}"]\n  capabilities = ["pull", "resolve"]\n`;
}

/** The container runtime. */
export function containerdPart(home: LabHome, toolchain: Toolchain, registry: string): Part {
  const registries = [registry, ...MIRRORED].map((name) => [`registries/${name}/hosts.toml`, hosts(registry)] as const);
  return programPart(home, {
    name: "containerd",
    needs: ["doors"],
    address: `unix://${containerdSocket(home)}`,
    command: [toolchain.path("containerd"), "--config", configFile("containerd.toml"), "--log-level", "warn"],
    environment: { PATH: [toolchain.folder("containerd"), toolchain.folder("runc"), SYSTEM_PATH].join(":") },
    files: () => ({
      "containerd.toml": configuration(home, toolchain),
      "cni/10-lab.conflist": JSON.stringify(CNI, null, 2),
      ...Object.fromEntries(registries),
    }),
    // Its shims hold the pods, and find the next containerd by its socket.
    ending: { ...ENDING, leaveChildren: true },
    ready: () => expectListener(containerdSocket(home)),
    settle: () => ensureSandboxImage(home, toolchain),
  });
}

async function ctr(home: LabHome, toolchain: Toolchain, args: readonly string[]) {
  const words = ["--address", containerdSocket(home), "--namespace", "k8s.io", ...args];
  return runChild(toolchain.path("ctr"), words, { timeoutSeconds: 20 });
}

/** Puts the sandbox image into containerd's store, unless it is there with this content. */
async function ensureSandboxImage(home: LabHome, toolchain: Toolchain): Promise<void> {
  const present = await ctr(home, toolchain, ["images", "list", "--quiet"]);
  const program = readFileSync(toolchain.path("pause"));
  const stamp = join(home.state, "containerd", "sandbox-image");
  const wanted = sha256(program);
  const stamped = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";
  if (present.stdout.split("\n").includes(SANDBOX_IMAGE) && stamped === wanted) return;
  const archive = await sandboxArchive(home, program);
  const { code, stderr } = await ctr(home, toolchain, ["images", "import", archive]);
  if (code !== 0) {
    throw new LabError("SANDBOX_IMAGE_FAILED", `containerd does not take the sandbox image: ${stderr.trim()}`, {
      remedy: `see containerd's log: npm run lab -- logs containerd --name ${home.name}`,
    });
  }
  rmSync(archive);
  writeFileSync(stamp, wanted);
}

const sha256 = (content: string | Buffer) => createHash("sha256").update(content).digest("hex");

/** An image archive, in the form that `docker save` writes, whose only file is the pause program. */
async function sandboxArchive(home: LabHome, program: Buffer): Promise<string> {
  const folder = join(home.state, "tmp", "sandbox-image");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "pause"), program, { mode: 0o755 });
  const tar = async (archive: string, files: readonly string[]) => {
    const same = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
    const { code, stderr } = await runChild("tar", ["-C", folder, ...same, "-cf", archive, ...files]);
    if (code !== 0) throw new Error(`tar: ${stderr.trim()}`);
  };
  await tar(join(folder, "layer.tar"), ["pause"]);
  const layer = sha256(readFileSync(join(folder, "layer.tar")));
  const config = {
    architecture: "amd64",
    os: "linux",
    config: { Entrypoint: ["/pause"], User: "65535:65535" },
    rootfs: { type: "layers", diff_ids: [`sha256:${layer}`] },
  };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  const manifest = [{ Config: "config.json", RepoTags: [SANDBOX_IMAGE], Layers: ["layer.tar"] }];
  writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest));
  const archive = join(home.state, "tmp", "sandbox-image.tar");
  await tar(archive, ["manifest.json", "config.json", "layer.tar"]);
  rmSync(folder, { recursive: true });
  return archive;
}

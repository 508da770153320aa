import { join } from "node:path";
import type { ActionContext } from "../../shared/src/action-runtime/action.ts";
import { ActionError } from "../../shared/src/action-runtime/error.ts";
import { run } from "../../shared/src/child-process/run.ts";
import { ImageLayout } from "../../shared/src/oci/layout.ts";
import type { Command } from "../../shared/src/toolchain/tool.ts";

export interface BuildPlan {
  readonly context: string;
  readonly dockerfile: string;
  readonly platform: string;
  readonly buildArgs: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * The builder's arguments. The image goes into a folder, not to a registry: it is scanned there first, and the very same
 * bytes are pushed. Provenance is left out because it turns the image into an index, which some consumers cannot read
 * (docker/build-push-action#764).
 */
export function buildArguments(plan: BuildPlan, layoutFolder: string): string[] {
  return [
    "build",
    "--progress=plain",
    "--provenance=false",
    "--sbom=false",
    `--platform=${plan.platform}`,
    `--file=${plan.dockerfile}`,
    ...plan.buildArgs.map((arg) => `--build-arg=${arg}`),
    ...Object.entries(plan.labels).map(([name, value]) => `--label=${name}=${value}`),
    `--output=type=oci,tar=false,dest=${layoutFolder}`,
    plan.context,
  ];
}

/**
 * Builds the image into an OCI layout.
 *
 * @throws ActionError `BUILD_FAILED` with the failing instruction, `BASE_IMAGE_UNREACHABLE`, `BUILDER_UNAVAILABLE`
 */
export async function buildImage(
  builder: Command,
  plan: BuildPlan,
  folder: string,
  timeoutMilliseconds: number,
  { log, signal, environment }: Pick<ActionContext, "log" | "signal" | "environment">,
): Promise<ImageLayout> {
  const layout = new ImageLayout(join(folder, "image"));
  const args = [...builder.prefix, ...buildArguments(plan, layout.folder)];
  const { exitCode, stderr } = await run(builder.command, args, {
    signal,
    timeoutMilliseconds,
    directory: environment.GITHUB_WORKSPACE ?? ".",
    onLine: (line) => log.tool(line),
  });
  if (exitCode === 0) return layout;
  throw buildError(exitCode, stderr);
}

const builderAbsent =
  /^context deadline exceeded$|connection refused|no such file or directory.*buildkitd\.sock|no builder|Cannot connect to the Docker daemon/i;

/** An image that is not there is the Dockerfile's fault; a registry that does not answer, or asks to wait, is not. */
const baseImageUnreachable =
  /failed to resolve source metadata.*(failed to do request|unexpected status.*: (429|5\d\d)\b)/i;

/** What the builder's last lines say. BuildKit ends with `ERROR: failed to build: failed to solve: …`. */
export function buildError(exitCode: number, stderr: string): ActionError {
  const lines = stderr.trim().split("\n");
  const said = (lines.findLast((line) => /^ERROR: /.test(line)) ?? lines.at(-1) ?? "")
    .replace(/^ERROR: /, "")
    .replace(/^failed to build: /, "")
    .replace(/^failed to solve: /, "")
    .slice(0, 400);
  if (baseImageUnreachable.test(said))
    return new ActionError("BASE_IMAGE_UNREACHABLE", {
      message: `the registry of the base image cannot be reached: ${said}`,
      remedy: "re-run when that registry is well again, or let the builder use a mirror of it",
      blame: "inconclusive",
    });
  if (builderAbsent.test(said))
    return new ActionError("BUILDER_UNAVAILABLE", {
      message: `the image builder cannot be reached: ${said}`,
      remedy: "start Docker or a BuildKit builder on the runner (docker/setup-buildx-action), and re-run",
      blame: "inconclusive",
    });
  return new ActionError("BUILD_FAILED", {
    message: `the image did not build (exit code ${exitCode}): ${said}`,
    remedy: "mend the instruction of the Dockerfile that the log names",
  });
}

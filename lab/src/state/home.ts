import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { LabError } from "../progress/error.ts";

const CLONE = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");

/** Where every lab of this machine keeps its sockets: short paths, because a socket's path may have 107 bytes at most. */
export const SOCKETS = "/run/mlops-lab";

/** Where the parts see the lab's state folder, whatever the clone is called: see namespaces/prepare.sh. */
export const INSIDE = "/run/lab";

/** The folders of one lab. A lab belongs to a clone and has a name; nothing of it is shared with another lab. */
export interface LabHome {
  readonly name: string;
  /** Eight hexadecimal digits that tell this lab from every other lab of the machine. */
  readonly id: string;
  /** The state folder, as this process sees it. */
  readonly state: string;
  /** The folder of the lab's unix sockets, the same inside and outside. */
  readonly sockets: string;
  /** The folder of the parts' logs. */
  readonly logs: string;
  /** The name of the lab's cgroup, below the root of each hierarchy. */
  readonly cgroup: string;
}

/**
 * The folders of the lab of that name in this clone; makes nothing.
 * @throws LabError LAB_NAME_INVALID
 */
export function labHome(name: string): LabHome {
  if (!/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(name)) {
    throw new LabError("LAB_NAME_INVALID", `"${name}" is no name for a lab`, {
      remedy: "use at most 32 lower-case letters, digits and hyphens, with a letter or digit at both ends",
    });
  }
  const id = createHash("sha256")
    .update(`${realpathSync(CLONE)}\0${name}`)
    .digest("hex")
    .slice(0, 8);
  const state = join(CLONE, "lab", ".state", name);
  return {
    name,
    id,
    state,
    sockets: join(SOCKETS, id),
    logs: join(state, "logs"),
    cgroup: `mlops-lab-${id}`,
  };
}

/** Makes the lab's folders if they are not there. */
export function makeHome(home: LabHome): void {
  for (const folder of ["logs", "config", "tmp", "host"]) mkdirSync(join(home.state, folder), { recursive: true });
  chmodSync(home.state, 0o755);
  mkdirSync(home.sockets, { recursive: true });
}

/** The same file as the parts see it. */
export function inside(...segments: string[]): string {
  return join(INSIDE, ...segments);
}
